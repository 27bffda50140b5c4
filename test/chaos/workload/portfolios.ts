import type { Client } from "./client.ts";
import { importDays } from "./imports.ts";
import type { Action, Ledger } from "./ledger.ts";
import { itemsOf, parsed } from "./replies.ts";

/*
 * Actions of investors: making portfolios of watched assets, having them optimised, and backtesting
 * rules.
 */

const METHODS = [
  "minVolatility",
  "maxSharpe",
  "equalWeight",
  "inverseVolatility",
  "riskParity",
  "hrp",
];

async function formPortfolio(client: Client, ledger: Ledger): Promise<void> {
  const { random } = client;
  const symbols = [...new Set(ledger.assets.map(({ symbol }) => symbol))];
  if (symbols.length < 2) return;
  const chosen = symbols.slice(0, random.between(2, symbols.length));
  // They need days that they share.
  for (const symbol of chosen) await importDays(client, ledger, symbol, 0, 30);
  await client.ask("POST", "/portfolios", {
    name: `chaos ${random.between(1, 1000)}`,
    symbols: chosen,
    optimization: { method: random.pick(METHODS) },
  });
}

async function optimise(client: Client, ledger: Ledger): Promise<void> {
  const { random } = client;
  const known = itemsOf(await client.ask("GET", "/portfolios?limit=20"));
  if (known.length === 0) await formPortfolio(client, ledger);
  const found = known.length > 0 ? known : itemsOf(await client.ask("GET", "/portfolios?limit=20"));
  if (found.length === 0) return;
  const id = String(random.pick(found)["id"]);
  if (random.chance(0.1)) {
    await client.ask("DELETE", `/portfolios/${id}`);
    return;
  }
  if (random.chance(0.3)) {
    const reply = parsed(
      await client.ask("POST", "/schedules", {
        name: `optimise ${random.between(1, 1000)}`,
        kind: "portfolio",
        target: { portfolioId: id },
        cadence: { type: "interval", everySeconds: 43_200 },
      }),
    );
    if (reply !== null)
      ledger.schedules.push({ id: String(reply["id"]), at: client.system.world.now });
    return;
  }
  const order = {
    method: random.pick(METHODS),
    bounds: random.pick([
      [0, 1],
      [0, 0.6],
      [0, 0.4],
    ]),
  };
  const reply = parsed(await client.ask("POST", `/portfolios/${id}/optimizations`, order));
  if (reply !== null) ledger.jobs.push(String(reply["jobId"]));
}

async function tryRules(client: Client, ledger: Ledger): Promise<void> {
  if (ledger.assets.length === 0) return;
  const { symbol } = client.random.pick(ledger.assets);
  // Only an asset that trades every day has a history that is long enough, and not always then.
  if (symbol === "COIN-X") {
    await importDays(client, ledger, symbol, -260, 320);
    await client.sleep(client.random.between(1_000, 60_000));
  }
  const order = { kind: "rules", symbol, shuffles: 2, bootstraps: 10 };
  const reply = parsed(await client.ask("POST", "/backtests", order));
  if (reply !== null) ledger.jobs.push(String(reply["jobId"]));
}

export const INVESTMENTS: readonly Action[] = [formPortfolio, optimise, optimise, tryRules];
