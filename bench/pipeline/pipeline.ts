import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { newEncryptionKey } from "../../local/encryption-key.ts";
import { freePort } from "../../local/ports.ts";
import { applyMigrations, type RunningWorker, startWorker } from "../../local/runtime.ts";
import { type Api, api, inParallel } from "./api.ts";
import { type Quantiles, quantiles, stagesSince } from "./stages.ts";

const root = join(import.meta.dirname, "../..");
const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2019, 0, 1);
/** Requests under way at once while bars are handed in. */
const CLIENTS = 16;
/** Of the table's first column. */
const WIDTH = 52;
const PATIENCE_MS = 300_000;

/**
 * One bar for each of N assets, through to the recommendation, in workerd with its state on disk.
 * `cold` is right after a restart, when every object is read from disk; `warm` are the rounds after
 * it. Waiting in queues is measured apart from work.
 */
export async function pipelineBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      assets: { type: "string", default: "500" },
      history: { type: "string", default: "60" },
      rounds: { type: "string", default: "3" },
      rows: { type: "string", default: "20000" },
    },
  });
  const symbols = Array.from(
    { length: Number(values.assets) },
    (_, n) => `B${String(n).padStart(5, "0")}`,
  );
  const history = Number(values.history);
  const stateDir = mkdtempSync(join(tmpdir(), "inversorai-bench-"));
  let system: System | null = null;
  try {
    await applyMigrations({ root, stateDir });
    system = await start(stateDir);
    console.log(
      `pipeline: ${symbols.length} assets, ${history} bars of history each, workerd with state on disk, ${cpus().length} cores (${cpus()[0]?.model ?? ""})`,
    );
    await inParallel(
      symbols,
      CLIENTS,
      (symbol) =>
        system?.api.post("/assets", { symbol, type: "STOCK", currency: "USD", source: "import" }) ??
        Promise.resolve(),
    );
    await round(system.api, symbols, 0, history);
    await system.worker.stop();
    system = await start(stateDir);
    report("cold", symbols.length, await round(system.api, symbols, history, 1));
    for (let n = 1; n <= Number(values.rounds); n++) {
      report(`warm ${n}`, symbols.length, await round(system.api, symbols, history + n, 1));
    }
    await importBench(system.api, Number(values.rows));
  } finally {
    await system?.worker.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

interface System {
  readonly worker: RunningWorker;
  readonly api: Api;
}

async function start(stateDir: string): Promise<System> {
  const port = await freePort();
  const key = `bench-${randomBytes(18).toString("base64url")}`;
  const origin = `http://127.0.0.1:${port}`;
  const worker = await startWorker({
    root,
    stateDir,
    secrets: { ADMIN_API_KEY: key, ENCRYPTION_KEY: newEncryptionKey() },
    vars: { ENVIRONMENT: "local", PUBLIC_ORIGIN: origin },
    onExit: () => undefined,
  });
  await worker.listen(port);
  return { worker, api: api(origin, key) };
}

interface Round {
  readonly seconds: number;
  readonly accept: Quantiles;
  readonly whole: Quantiles;
  readonly stages: Awaited<ReturnType<typeof stagesSince>>;
}

/**
 * Uploads `count` bars per asset from day `from` on, and waits until the last recommendation is
 * readable.
 */
async function round(
  client: Api,
  symbols: readonly string[],
  from: number,
  count: number,
): Promise<Round> {
  const feed = await feedEnd(client);
  const startedAt = Date.now();
  const accepted = new Map<string, number>();
  const accepting: number[] = [];
  const watching = untilRecommended(client, symbols.length, feed);
  await inParallel(symbols, CLIENTS, async (symbol) => {
    const sentAt = Date.now();
    await client.post(`/assets/${symbol}/bars`, {
      resolution: "1d",
      bars: Array.from({ length: count }, (_, n) => bar(from + n)),
    });
    accepted.set(symbol, sentAt);
    accepting.push(Date.now() - sentAt);
  });
  const readable = await watching;
  const whole = [...readable].map(([symbol, at]) => at - (accepted.get(symbol) ?? at));
  return {
    seconds: (Date.now() - startedAt) / 1000,
    accept: quantiles(accepting),
    whole: quantiles(whole),
    stages: await stagesSince(client, startedAt),
  };
}

function bar(day: number) {
  const close = 100 + 10 * Math.sin(day / 7) + day / 50;
  const timestamp = new Date(FIRST_DAY + day * DAY).toISOString().slice(0, 10);
  return {
    timestamp,
    open: close - 0.5,
    high: close + 1,
    low: close - 1,
    close,
    volume: 1_000 + day,
  };
}

interface FeedPage {
  readonly items: { readonly payload: { readonly symbol: string } }[];
  readonly nextCursor: string;
  readonly caughtUp: boolean;
}

const feedPage = (client: Api, cursor: string): Promise<FeedPage> =>
  client.get(
    `/events?pattern=asset.*.RecommendationGenerated&limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`,
  );

async function feedEnd(client: Api): Promise<string> {
  for (let cursor = ""; ; ) {
    const page = await feedPage(client, cursor);
    cursor = page.nextCursor;
    if (page.caughtUp) return cursor;
  }
}

/** When each asset's recommendation was seen in the feed. */
async function untilRecommended(
  client: Api,
  count: number,
  after: string,
): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  const deadline = Date.now() + PATIENCE_MS;
  for (let cursor = after; seen.size < count; ) {
    if (Date.now() > deadline)
      throw new Error(`only ${seen.size} of ${count} recommendations arrived`);
    const page = await feedPage(client, cursor);
    cursor = page.nextCursor;
    for (const { payload } of page.items) seen.set(payload.symbol, Date.now());
    if (page.caughtUp) await sleep(50);
  }
  return seen;
}

const ms = ({ p50, p99 }: Quantiles): string =>
  `${String(Math.round(p50)).padStart(7)} ${String(Math.round(p99)).padStart(7)}`;

function report(name: string, count: number, { seconds, accept, whole, stages }: Round): void {
  console.log(
    `\n${name}: ${(count / seconds).toFixed(1)} assets/s (${seconds.toFixed(1)} s in all)`,
  );
  console.log(`${"ms".padEnd(WIDTH)}${"p50".padStart(7)} ${"p99".padStart(7)}`);
  console.log(`${"accept (HTTP)".padEnd(WIDTH)}${ms(accept)}`);
  for (const stage of stages) {
    console.log(`${stage.name.padEnd(WIDTH)}${ms(stage.times)}`);
  }
  console.log(`${"sent to readable".padEnd(WIDTH)}${ms(whole)}`);
}

/** A long CSV, from the first byte sent until its recommendation is readable. */
async function importBench(client: Api, rows: number): Promise<void> {
  await client.post("/assets", {
    symbol: "LONG",
    type: "STOCK",
    currency: "USD",
    source: "import",
  });
  const first = Date.UTC(1960, 0, 1);
  const lines = Array.from({ length: rows }, (_, n) => {
    const { open, high, low, close, volume } = bar(n);
    return `${new Date(first + n * DAY).toISOString().slice(0, 10)},${open},${high},${low},${close},${volume}`;
  });
  const feed = await feedEnd(client);
  const startedAt = Date.now();
  await client.post(
    "/assets/LONG/bars",
    `timestamp,open,high,low,close,volume\n${lines.join("\n")}\n`,
    "text/csv",
  );
  const acceptedAt = Date.now();
  await untilRecommended(client, 1, feed);
  const seconds = (Date.now() - startedAt) / 1000;
  console.log(
    `\nimport: a CSV of ${rows} bars, sent to recommendation readable: ${seconds.toFixed(1)} s (accepted after ${acceptedAt - startedAt} ms)`,
  );
}
