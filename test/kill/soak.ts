import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { newEncryptionKey } from "../../local/encryption-key.ts";
import { applyMigrations } from "../../local/runtime.ts";
import { seededUniform } from "../../local/seeded-random.ts";
import { closeOf, dailyBars, dateOf } from "../e2e/daily-bars.ts";
import { idOf, type Received, Receiver, readDelivery } from "../e2e/receiver.ts";
import { tickEvery } from "../e2e/ticking.ts";
import { Killable } from "./killable.ts";
import { readDisk } from "./on-disk.ts";

const KEY = "kill-test-admin-key-0123456789";
const SYMBOLS = ["KILL-A", "KILL-B", "KILL-C", "KILL-D"];
/**
 * Days of bars in one import; imports of an asset overlap, so that repetitions are part of the
 * load.
 */
const DAYS = 40;
const SETTLE_TIMEOUT_MS = 180_000;
const ACCEPT_TIMEOUT_MS = 60_000;

export interface SoakReport {
  readonly kills: number;
  readonly accepted: number;
  readonly events: number;
  readonly delivered: number;
  readonly repeatedDeliveries: number;
  readonly violations: readonly string[];
}

/**
 * An import the system has answered 202 to, or may have: then it is sent again with the same key.
 */
interface Import {
  readonly symbol: string;
  readonly from: number;
  readonly key: string;
  jobId: string | null;
}

/**
 * Gives the system work, kills it with SIGKILL at a random moment, starts it on the same files,
 * again and again. At the end everything that was accepted must be finished, nothing may be there
 * twice, and the files must be sound.
 */
export async function soak(
  kills: number,
  seed: number,
  tell: (line: string) => void = () => undefined,
): Promise<SoakReport> {
  const random = seededUniform(seed);
  const stateDir = mkdtempSync(join(tmpdir(), "inversorai-kill-"));
  const receiver = new Receiver();
  await receiver.listen();
  const imports: Import[] = [];
  let system: Killable | null = null;
  let secret = "";
  // Each is verified as it comes: a signature is good for five minutes, and this goes on for
  // longer.
  const badlySigned: string[] = [];
  const early: Received[] = [];
  receiver.behaviours.set("/", (one) => {
    if (secret === "") early.push(one);
    else badlySigned.push(...signatureFaults(one, secret));
    return 204;
  });
  const vars = {
    ADMIN_API_KEY: KEY,
    ENCRYPTION_KEY: newEncryptionKey(),
    ENVIRONMENT: "local",
    PUBLIC_ORIGIN: "http://127.0.0.1:8787",
    WEBHOOK_ALLOW_LOOPBACK: "on",
    WEBHOOK_RETRY_SECONDS: Array(15).fill("2").join(","),
    SWEEP_AFTER_SECONDS: "2",
  };
  try {
    await applyMigrations({ root: join(import.meta.dirname, "../.."), stateDir });
    for (let round = 0; round <= kills; round++) {
      system = await Killable.start(stateDir, vars);
      const api = client(system.origin);
      if (round === 0) secret = await prepare(api, receiver.url("/"));
      for (const one of early.splice(0)) badlySigned.push(...signatureFaults(one, secret));
      if (round === kills) break;
      const ticking = tickEvery(system.origin, 300);
      const work = giveWork(api, imports, random, round);
      const enough = imports.filter(({ jobId }) => jobId !== null).length + random() * 8;
      // The work ends before its time only by an answer it did not expect.
      await Promise.race([work, untilAccepted(imports, enough)]);
      await sleep(Math.floor(random() * 600));
      await system.kill();
      ticking.abort();
      await work;
      if ((round + 1) % 10 === 0) tell(`${round + 1} kills, ${imports.length} imports sent`);
    }
    if (system === null) throw new Error("nothing was started");
    const api = client(system.origin);
    const ticking = tickEvery(system.origin, 300);
    const unfinished = await settle(api, imports);
    const unreceived = await allReceived(api, receiver);
    ticking.abort();
    // The last drain of the outboxes, and of what the database has in flight.
    await sleep(500);
    await system.kill();
    const disk = readDisk(stateDir);
    return {
      kills,
      accepted: imports.length,
      events: disk.events,
      delivered: receiver.received.length,
      repeatedDeliveries:
        receiver.received.length - new Set(receiver.received.map((r) => idOf(r.headers))).size,
      violations: [
        ...unfinished,
        ...unreceived,
        ...disk.violations,
        ...wrongBars(imports, disk.assets),
        ...badlySigned,
      ],
    };
  } finally {
    await system?.kill();
    await receiver.close();
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

type Client = ReturnType<typeof client>;

const client = (origin: string) => ({
  /** Null when the system died before it answered. */
  ask: async (
    method: string,
    path: string,
    body: string | null = null,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; json: unknown } | null> => {
    try {
      const response = await fetch(`${origin}/api/v1${path}`, {
        method,
        body,
        headers: { authorization: `Bearer ${KEY}`, ...headers },
        signal: AbortSignal.timeout(30_000),
      });
      return { status: response.status, json: (await response.json()) as unknown };
    } catch {
      return null;
    }
  },
});

const JSON_BODY = { "content-type": "application/json" };

async function prepare(api: Client, url: string): Promise<string> {
  const endpoint = await api.ask(
    "POST",
    "/webhook-endpoints",
    JSON.stringify({ url, patterns: ["#"] }),
    JSON_BODY,
  );
  for (const symbol of SYMBOLS) {
    const asset = { symbol, type: "CRYPTO", currency: "USD", source: "import" };
    const made = await api.ask("POST", "/assets", JSON.stringify(asset), JSON_BODY);
    if (made?.status !== 201) throw new Error(`no asset: ${JSON.stringify(made)}`);
  }
  return z.object({ secret: z.string() }).parse(endpoint?.json).secret;
}

/** Sends again what was cut off, then new imports until the system is dead. */
async function giveWork(
  api: Client,
  imports: Import[],
  random: () => number,
  round: number,
): Promise<void> {
  for (const unsure of imports.filter(({ jobId }) => jobId === null)) {
    if (!(await send(api, unsure))) return;
  }
  for (let n = 0; ; n++) {
    const symbol = SYMBOLS[Math.floor(random() * SYMBOLS.length)] ?? "KILL-A";
    const from = Math.floor(random() * 8) * (DAYS / 2) + Math.floor(round / 5) * DAYS;
    const one: Import = { symbol, from, key: `round-${round}-${n}`, jobId: null };
    imports.push(one);
    if (!(await send(api, one))) return;
    if (n >= 5) await sleep(50);
  }
}

async function send(api: Client, one: Import): Promise<boolean> {
  const answer = await api.ask("POST", `/assets/${one.symbol}/bars`, dailyBars(DAYS, one.from), {
    "content-type": "text/csv",
    "idempotency-key": one.key,
  });
  if (answer === null) return false;
  // The first try is still being worked on, as far as the record knows: asked again when the system
  // is back.
  if (answer.status === 409) return true;
  if (answer.status !== 202) throw new Error(`an import was answered ${JSON.stringify(answer)}`);
  one.jobId = z.object({ jobId: z.string() }).parse(answer.json).jobId;
  return true;
}

/**
 * The moment to kill lies somewhere after the next few acceptances, so that a slow machine has work
 * to lose too: killed by the clock alone, it dies round after round over the same first request.
 */
async function untilAccepted(imports: readonly Import[], count: number): Promise<void> {
  const deadline = Date.now() + ACCEPT_TIMEOUT_MS;
  while (Date.now() < deadline && imports.filter(({ jobId }) => jobId !== null).length < count)
    await sleep(5);
}

/** Waits until every import has ended well. */
async function settle(api: Client, imports: readonly Import[]): Promise<string[]> {
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  for (const one of imports) {
    while (one.jobId === null && Date.now() < deadline) {
      await send(api, one);
      if (one.jobId === null) await sleep(500);
    }
  }
  const violations: string[] = [];
  for (const { jobId, key } of imports) {
    if (jobId === null) {
      violations.push(`the import ${key} was never answered`);
      continue;
    }
    let state = "";
    while (Date.now() < deadline) {
      const answer = await api.ask("GET", `/jobs/${encodeURIComponent(jobId)}`);
      state = z.looseObject({ state: z.string() }).safeParse(answer?.json).data?.state ?? "";
      if (state === "succeeded" || state === "failed") break;
      await sleep(100);
    }
    if (state !== "succeeded") violations.push(`the accepted job ${jobId} is ${state || "lost"}`);
  }
  return violations;
}

/** Waits until the receiver has every event of the feed at least once. */
async function allReceived(api: Client, receiver: Receiver): Promise<string[]> {
  const page = z.object({
    items: z.array(z.looseObject({ eventId: z.string() })),
    nextCursor: z.string().nullable(),
    caughtUp: z.boolean(),
  });
  const deadline = Date.now() + SETTLE_TIMEOUT_MS;
  for (;;) {
    const ids: string[] = [];
    for (let cursor = ""; ; ) {
      const { items, nextCursor, caughtUp } = page.parse(
        (await api.ask("GET", `/events?limit=200${cursor}`))?.json,
      );
      ids.push(...items.map(({ eventId }) => eventId));
      if (caughtUp || nextCursor === null) break;
      cursor = `&cursor=${nextCursor}`;
    }
    const got = new Set(receiver.received.map(({ headers }) => idOf(headers)));
    const missing = ids.filter((id) => !got.has(id));
    // New events may still come out of the last jobs, so look until nothing is missing twice in a
    // row.
    if (missing.length === 0) {
      await sleep(1_500);
      const again = new Set(receiver.received.map(({ headers }) => idOf(headers)));
      if (again.size === got.size) return [];
      continue;
    }
    if (Date.now() > deadline)
      return missing.map((id) => `the event ${id} never reached the receiver`);
    await sleep(200);
  }
}

/**
 * Every asset has exactly the bars of the imports that were accepted for it, each ingest once on
 * record.
 */
function wrongBars(
  imports: readonly Import[],
  assets: readonly {
    symbol: string;
    closes: ReadonlyMap<number, number>;
    jobsConsumed: readonly string[];
  }[],
): string[] {
  const violations: string[] = [];
  for (const { symbol, closes, jobsConsumed } of assets) {
    const own = imports.filter((one) => one.symbol === symbol);
    const days = new Set(
      own.flatMap(({ from }) => Array.from({ length: DAYS }, (_, n) => from + n)),
    );
    if (closes.size !== days.size)
      violations.push(`${symbol} has ${closes.size} bars instead of ${days.size}`);
    for (const day of days) {
      if (closes.get(Date.parse(dateOf(day))) !== closeOf(day))
        violations.push(`${symbol} ${dateOf(day)} is wrong`);
    }
    const wanted = new Set(own.map(({ jobId }) => jobId));
    if (jobsConsumed.length !== wanted.size || !jobsConsumed.every((id) => wanted.has(id)))
      violations.push(
        `${symbol}: ${jobsConsumed.length} ingests on record for ${wanted.size} imports`,
      );
  }
  return violations;
}

function signatureFaults(one: Received, secret: string): string[] {
  try {
    readDelivery(one, secret);
    return [];
  } catch (error) {
    return [`a delivery cannot be verified: ${String(error)}`];
  }
}
