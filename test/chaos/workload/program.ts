import type { Random } from "../platform/random.ts";
import { makeFile } from "./bars.ts";
import type { Client } from "./client.ts";
import { importFile } from "./imports.ts";
import type { Action, Ledger, NewAsset } from "./ledger.ts";
import { OPERATIONS } from "./operations.ts";
import { INVESTMENTS } from "./portfolios.ts";
import { itemsOf, parsed } from "./replies.ts";

const IMPORTED: readonly NewAsset[] = [
  { symbol: "ACME", type: "STOCK", currency: "USD", source: "import" },
  { symbol: "COIN-X", type: "CRYPTO", currency: "USD", source: "import" },
  { symbol: "BRK.B", type: "STOCK", currency: "USD", source: "import" },
  { symbol: "USDCHF", type: "FX", currency: "CHF", source: "import" },
];
const ASKED: readonly NewAsset[] = [
  { symbol: "SPX", type: "STOCK", currency: "USD", source: "demo" },
  { symbol: "BTC-USD", type: "CRYPTO", currency: "USD", source: "demo" },
  { symbol: "EURUSD", type: "FX", currency: "USD", source: "demo" },
  { symbol: "NOSRC", type: "STOCK", currency: "USD" },
];

const PATTERNS = [
  ["#"],
  ["asset.#"],
  ["asset.*.RecommendationGenerated"],
  ["job.#"],
  ["asset.SPX.*", "asset.ACME.#"],
];

const CADENCES = [
  { type: "interval", everySeconds: 43_200 },
  { type: "interval", everySeconds: 86_400 },
  { type: "cron", expression: "30 21 * * *", timeZone: "America/New_York" },
  { type: "calendar", calendar: "XNYS", event: "close", offsetSeconds: 300 },
  { type: "calendar", calendar: "CRYPTO", event: "close", offsetSeconds: 60 },
];

/** The assets of one run: few, so that clients get in each other's way, or many. */
export function chooseAssets(random: Random): readonly NewAsset[] {
  const most = random.between(1, 6);
  return [...IMPORTED, ...ASKED]
    .map((asset) => ({ asset, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, most)
    .map(({ asset }) => asset);
}

/**
 * A client's random program: a number of things people and programs do, with pauses between them.
 */
export async function runProgram(client: Client, ledger: Ledger, actions: number): Promise<void> {
  await register(client, ledger);
  for (let done = 0; done < actions; done++) {
    if (client.random.chance(0.6)) await client.sleep(client.random.between(10, 30_000));
    await client.random.pick(ACTIONS)(client, ledger);
  }
}

async function register(client: Client, ledger: Ledger): Promise<void> {
  const asset = client.random.pick(ledger.universe);
  const again = ledger.assets.some(({ symbol }) => symbol === asset.symbol);
  const reply = await client.ask("POST", "/assets", asset);
  if (reply === null) ledger.changedAssets.add(asset.symbol);
  if (parsed(reply) === null) return;
  if (again) ledger.changedAssets.add(asset.symbol);
  ledger.assets.push({ symbol: asset.symbol, at: client.system.world.now });
}

async function importBars(client: Client, ledger: Ledger): Promise<void> {
  const [some] = ledger.assets;
  if (some === undefined) return register(client, ledger);
  const { symbol } = client.random.pick(ledger.assets);
  await importFile(client, ledger, symbol, makeFile(client.random, symbol === "COIN-X"));
}

async function makeSchedule(client: Client, ledger: Ledger): Promise<void> {
  const { random } = client;
  const [some] = ledger.assets;
  const target =
    some !== undefined && random.chance(0.5)
      ? { symbol: random.pick(ledger.assets).symbol }
      : { calendar: random.pick(["XNYS", "CRYPTO", "FX"]) };
  const reply = parsed(
    await client.ask("POST", "/schedules", {
      name: `chaos ${random.between(1, 1000)}`,
      kind: random.pick(["ingest", "ingest", "ingest", "indicators", "recommendation"]),
      target,
      cadence: random.pick(CADENCES),
      overlap: random.pick(["allow", "skip"]),
      catchUpSeconds: random.pick([120, 86_400, 259_200]),
      jitterSeconds: random.pick([0, 0, 30, 300]),
    }),
  );
  if (reply !== null)
    ledger.schedules.push({ id: String(reply["id"]), at: client.system.world.now });
}

async function changeSchedule(client: Client, ledger: Ledger): Promise<void> {
  if (ledger.schedules[0] === undefined) return makeSchedule(client, ledger);
  const { id } = client.random.pick(ledger.schedules);
  ledger.changedSchedules.add(id);
  switch (client.random.between(0, 3)) {
    case 0:
      await client.ask("POST", `/schedules/${id}/pause`);
      break;
    case 1:
      await client.ask("POST", `/schedules/${id}/resume`);
      break;
    case 2:
      await client.ask("PATCH", `/schedules/${id}`, { cadence: client.random.pick(CADENCES) });
      break;
    default:
      await client.ask("DELETE", `/schedules/${id}`);
  }
}

async function makeEndpoint(client: Client, ledger: Ledger): Promise<void> {
  const host = `hooks${ledger.endpoints.length}-${client.random.between(1, 9999)}.chaos.example`;
  const patterns = client.random.pick(PATTERNS);
  const reply = parsed(
    await client.ask("POST", "/webhook-endpoints", { url: `https://${host}/in`, patterns }),
  );
  if (reply === null) return;
  const { now } = client.system.world;
  ledger.endpoints.push({
    id: String(reply["id"]),
    host,
    secret: typeof reply["secret"] === "string" ? reply["secret"] : null,
    patterns,
    at: now,
  });
}

async function changeEndpoint(client: Client, ledger: Ledger): Promise<void> {
  if (ledger.endpoints[0] === undefined) return makeEndpoint(client, ledger);
  const { id } = client.random.pick(ledger.endpoints);
  ledger.changedEndpoints.add(id);
  switch (client.random.between(0, 2)) {
    case 0:
      await client.ask("PATCH", `/webhook-endpoints/${id}`, {
        patterns: client.random.pick(PATTERNS),
      });
      break;
    case 1:
      await client.ask("POST", `/webhook-endpoints/${id}/enable`);
      break;
    default:
      await client.ask("DELETE", `/webhook-endpoints/${id}`);
  }
}

async function enqueueJob(client: Client, ledger: Ledger): Promise<void> {
  if (ledger.assets[0] === undefined) return register(client, ledger);
  const reply = parsed(
    await client.ask("POST", "/jobs", {
      kind: client.random.pick(["ingest", "indicators", "recommendation"]),
      symbol: client.random.pick(ledger.assets).symbol,
      delaySeconds: client.random.pick([0, 0, 20, 200]),
    }),
  );
  if (reply !== null) ledger.jobs.push(String(reply["jobId"]));
}

async function cancelJob(client: Client): Promise<void> {
  const open = itemsOf(await client.ask("GET", "/jobs?limit=20")).filter(
    ({ state }) => state !== "succeeded",
  );
  if (open.length > 0)
    await client.ask(
      "POST",
      `/jobs/${encodeURIComponent(String(client.random.pick(open)["id"]))}/cancel`,
    );
}

async function processDeadLetter(client: Client): Promise<void> {
  const deadLetters = itemsOf(await client.ask("GET", "/backoffice/dead-letters?limit=20"));
  if (deadLetters.length === 0) return;
  const what = client.random.pick(["redrive", "redrive", "discard", "dry-run"]);
  await client.ask(
    "POST",
    `/backoffice/dead-letters/${String(client.random.pick(deadLetters)["id"])}/${what}`,
  );
}

async function changeAsset(client: Client, ledger: Ledger): Promise<void> {
  if (ledger.assets[0] === undefined) return;
  const { symbol } = client.random.pick(ledger.assets);
  ledger.changedAssets.add(symbol);
  if (client.random.chance(0.25)) await client.ask("DELETE", `/assets/${symbol}`);
  else
    await client.ask("PATCH", `/assets/${symbol}`, {
      currency: client.random.pick(["USD", "EUR", "GBP"]),
    });
}

async function publishOutbox(client: Client, ledger: Ledger): Promise<void> {
  if (ledger.assets[0] === undefined) return;
  await client.ask("POST", "/backoffice/events/retry", {
    symbol: client.random.pick(ledger.assets).symbol,
  });
}

async function resend(client: Client, ledger: Ledger): Promise<void> {
  if (ledger.endpoints[0] === undefined) return makeEndpoint(client, ledger);
  const { id } = client.random.pick(ledger.endpoints);
  const deliveries = itemsOf(
    await client.ask("GET", `/webhook-endpoints/${id}/deliveries?limit=20`),
  );
  if (deliveries.length > 0)
    await client.ask(
      "POST",
      `/deliveries/${encodeURIComponent(String(client.random.pick(deliveries)["id"]))}/resend`,
    );
}

/**
 * Messages that no version of ours ever sent: each has to end as a dead letter and to block
 * nothing.
 */
async function sendGarbage(client: Client, ledger: Ledger): Promise<void> {
  const { system } = client;
  if (!system.world.plan.strikes("garbage message")) return;
  ledger.garbage += 1;
  system.sendGarbage(client.random.pick(system.broker.names()), { garbage: ledger.garbage });
}

/**
 * An object that fails at every call from now on: its asset is lost, the others must not notice.
 */
async function poison(client: Client): Promise<void> {
  const { system } = client;
  const hosts = system.hosts();
  if (hosts.length > 1 && system.world.plan.strikes("asset poisoned"))
    client.random.pick(hosts).poisoned = true;
}

const ACTIONS: readonly Action[] = [
  register,
  register,
  importBars,
  importBars,
  importBars,
  importBars,
  makeSchedule,
  makeSchedule,
  changeSchedule,
  makeEndpoint,
  changeEndpoint,
  enqueueJob,
  enqueueJob,
  cancelJob,
  processDeadLetter,
  processDeadLetter,
  changeAsset,
  publishOutbox,
  resend,
  sendGarbage,
  poison,
  ...OPERATIONS,
  ...INVESTMENTS,
];
