import type { Client } from "./client.ts";
import { importDays } from "./imports.ts";
import type { Action, Ledger } from "./ledger.ts";
import { itemsOf, parsed } from "./replies.ts";

/* Actions of operators: processes, comparisons with the logs, rebuilds, breakers. */

/**
 * Starts a process that registers an asset, fetches its history and sees to its first
 * recommendation.
 */
async function onboard(client: Client, ledger: Ledger): Promise<void> {
  const { random } = client;
  const input = random.pick(ledger.universe);
  // Whatever becomes of it may archive the asset again.
  ledger.changedAssets.add(input.symbol);
  const reply = parsed(await client.ask("POST", "/processes", { kind: "onboardAsset", input }));
  if (reply !== null) ledger.processes.push(String(reply["processId"]));
}

async function changeProcess(client: Client): Promise<void> {
  const found = itemsOf(await client.ask("GET", "/processes?limit=20"));
  if (found.length === 0) return;
  const path = `/processes/${encodeURIComponent(String(client.random.pick(found)["id"]))}`;
  if (client.random.chance(0.5)) await client.ask("POST", `${path}/resume`);
  else await client.ask("POST", `${path}/compensate`, { reason: "somebody thought better of it" });
}

async function reconcile(client: Client, ledger: Ledger): Promise<void> {
  const { random } = client;
  const some = ledger.assets.length > 0 && random.chance(0.5);
  await client.ask("POST", "/backoffice/reconciliations", {
    depth: random.pick(["bulk", "deep"]),
    repair: random.chance(0.7),
    ...(some ? { symbols: [random.pick(ledger.assets).symbol] } : {}),
  });
}

/** Evaluates the due recommendations of one asset or of a market. */
async function resolveDue(client: Client, ledger: Ledger): Promise<void> {
  const { random } = client;
  const [some] = ledger.assets;
  const target =
    some !== undefined && random.chance(0.7)
      ? { symbol: random.pick(ledger.assets).symbol }
      : { calendar: random.pick(["XNYS", "CRYPTO", "FX"]) };
  const reply = parsed(
    await client.ask("POST", "/schedules", {
      name: `resolve ${random.between(1, 1000)}`,
      kind: "recommendation",
      target: { ...target, only: "due" },
      cadence: { type: "interval", everySeconds: random.pick([3_600, 43_200]) },
    }),
  );
  if (reply !== null)
    ledger.schedules.push({ id: String(reply["id"]), at: client.system.world.now });
}

/**
 * Lets a recommendation reach its horizon: a history, a pause, two months more, and the request to
 * evaluate.
 */
async function reachHorizon(client: Client, ledger: Ledger): Promise<void> {
  const { random } = client;
  if (ledger.assets.length === 0) return;
  const { symbol } = random.pick(ledger.assets);
  for (const [from, count] of [
    [0, 30],
    [30, 31],
  ] as const) {
    await importDays(client, ledger, symbol, from, count);
    await client.sleep(random.between(1_000, 60_000));
  }
  for (let orders = random.between(1, 3); orders > 0; orders--) {
    const order = {
      kind: "recommendation",
      symbol,
      only: "due",
      delaySeconds: random.pick([0, 0, 30]),
    };
    const reply = parsed(await client.ask("POST", "/jobs", order));
    if (reply !== null) ledger.jobs.push(String(reply["jobId"]));
  }
}

/** Has everything ranked: now, or by a schedule. */
async function rank(client: Client, ledger: Ledger): Promise<void> {
  const { random } = client;
  if (random.chance(0.5)) {
    const reply = parsed(await client.ask("POST", "/jobs", { kind: "ranking" }));
    if (reply !== null) ledger.jobs.push(String(reply["jobId"]));
    return;
  }
  const reply = parsed(
    await client.ask("POST", "/schedules", {
      name: `rank ${random.between(1, 1000)}`,
      kind: "ranking",
      target: { resolution: "1d" },
      cadence: { type: "interval", everySeconds: 43_200 },
    }),
  );
  if (reply !== null)
    ledger.schedules.push({ id: String(reply["id"]), at: client.system.world.now });
}

const PROJECTIONS = ["bars", "indicators", "recommendations", "track_record", "corporate_actions"];
const ACTS = ["switch", "switch", "finish", "rollback", "cancel"];

async function rebuild(client: Client): Promise<void> {
  const { random } = client;
  const path = `/backoffice/projections/${random.pick(PROJECTIONS)}/rebuilds`;
  const [latest] = itemsOf(await client.ask("GET", `${path}?limit=1`));
  if (latest === undefined || random.chance(0.4))
    await client.ask("POST", path, { auto: random.chance(0.5) });
  else await client.ask("POST", `${path}/${String(latest["id"])}/${random.pick(ACTS)}`);
}

async function handleBreaker(client: Client, ledger: Ledger): Promise<void> {
  const { random } = client;
  const { id } = ledger.endpoints.length > 0 ? random.pick(ledger.endpoints) : { id: null };
  const service = id === null || random.chance(0.6) ? "source:demo" : `webhook:${id}`;
  const path = `/backoffice/breakers/${encodeURIComponent(service)}`;
  const reason = "the operator says so";
  if (random.chance(0.5)) await client.ask("POST", `${path}/reset`, { reason });
  else
    await client.ask("POST", `${path}/trip`, { reason, ...random.pick([{ forSeconds: 90 }, {}]) });
}

export const OPERATIONS: readonly Action[] = [
  onboard,
  onboard,
  changeProcess,
  reconcile,
  resolveDue,
  reachHorizon,
  reachHorizon,
  rank,
  rebuild,
  handleBreaker,
];

/**
 * Ends everything that only a person can end: schedules, which make slots forever, and breakers
 * held open manually.
 */
export async function calmDown(client: Client, ledger: Ledger): Promise<void> {
  for (const { id } of client.system.db.rows(
    "SELECT id FROM schedules WHERE paused_at IS NULL ORDER BY id",
  )) {
    await client.ask("POST", `/schedules/${String(id)}/pause`);
  }
  for (const service of ["source:demo", ...ledger.endpoints.map(({ id }) => `webhook:${id}`)]) {
    const path = `/backoffice/breakers/${encodeURIComponent(service)}`;
    const breaker = parsed(await client.ask("GET", path));
    if (breaker?.["state"] === "open" && breaker["openUntil"] === null)
      await client.ask("POST", `${path}/reset`, { reason: "the faults have stopped" });
  }
}
