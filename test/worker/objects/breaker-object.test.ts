import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Answer, Permit } from "../../../src/domain/breaker/breaker.ts";
import type { Verdict } from "../../../src/domain/breaker/verdict.ts";
import { chainHash, GENESIS } from "../../../src/domain/events/rolling-hash.ts";
import { Broker } from "../kit/broker.ts";
import { passSeconds, refusalOf, rows, stopClock } from "../kit/market.ts";

let broker: Broker;
beforeAll(() => {
  stopClock();
  broker = new Broker();
});

const DOWN: Verdict = {
  kind: "unavailable",
  detail: "the source answered 503",
  code: "source.unavailable",
};
const UP: Verdict = { kind: "answered" };
const stub = (service: string) => env.BREAKERS.getByName(service);

function permitOf(answer: Answer): Permit {
  if (answer.kind === "wait") throw new Error(`no leave for ${answer.seconds} s`);
  return answer.permit;
}

/** Each step finds an object that has just been read from disk. */
async function evicted<T>(
  service: string,
  step: (own: ReturnType<typeof stub>) => Promise<T>,
): Promise<T> {
  const result = await step(stub(service));
  await evictDurableObject(stub(service));
  return result;
}

const acquire = (service: string, lease: string): Promise<Answer> =>
  evicted(service, (own) => own.acquire(service, lease, "AAPL") as Promise<Answer>);
const report = (service: string, permit: Permit, verdict: Verdict): Promise<Answer> =>
  evicted(service, (own) => own.report(service, permit, "AAPL", verdict, null) as Promise<Answer>);

async function open(service: string): Promise<void> {
  const permit = permitOf(await stub(service).acquire(service, "x", "AAPL"));
  for (let failure = 0; failure < 5; failure++)
    await stub(service).report(service, permit, "AAPL", DOWN, null);
}

async function logOf(service: string) {
  return (await stub(service).readEvents(service, 0, 500)).events;
}

describe("the breaker of a service", () => {
  it("keeps count, wait, lease and history through evictions between any two steps", async () => {
    const service = "source:evicted";
    const permit = permitOf(await acquire(service, "first"));
    for (let failure = 1; failure <= 5; failure++) {
      const answer = await report(service, permit, DOWN);
      expect(answer.kind).toBe(failure < 5 ? "go" : "wait");
    }
    passSeconds(30);
    const probe = permitOf(await acquire(service, "probe"));
    expect((await acquire(service, "other")).kind).toBe("wait");
    expect((await report(service, permit, UP)).kind).toBe("wait");
    expect(await report(service, probe, UP)).toMatchObject({ kind: "go", atRest: true });
    const events = await logOf(service);
    expect(events.map(({ eventType, version }) => [version, eventType])).toEqual([
      [1, "IntegrationError"],
      [2, "CircuitOpened"],
      [3, "CircuitClosed"],
    ]);
    const hash = events.reduce<string>((before, event) => chainHash(before, event), GENESIS);
    expect(await stub(service).streamHead(service)).toEqual({ version: 3, hash });
  });

  it("leases one probe to many who ask at once", async () => {
    const service = "source:race";
    await open(service);
    passSeconds(30);
    const rulings = await Promise.all(
      Array.from({ length: 20 }, (_, n) => stub(service).acquire(service, `lease ${n}`, "AAPL")),
    );
    expect(rulings.filter((answer) => answer.kind === "go")).toHaveLength(1);
  });

  it("tells its transitions through outbox and queue to the read model, in order and once", async () => {
    const service = "source:told";
    broker.breakQueue("EVENTS_QUEUE");
    await open(service);
    expect(await stub(service).outboxStatus()).toMatchObject({ waiting: 2 });
    await evictDurableObject(stub(service));
    broker.repairQueue("EVENTS_QUEUE");
    // Nobody calls it again: its alarm is what brings the events out.
    await runDurableObjectAlarm(stub(service));
    expect(await stub(service).outboxStatus()).toMatchObject({ waiting: 0 });
    await broker.settle((deadLetters) => [...deadLetters, ...deadLetters].reverse());
    const breaker =
      "SELECT state, reason, failures, open_until, version FROM breakers WHERE service = ?";
    expect(await rows(breaker, service)).toEqual([
      {
        state: "open",
        reason: "failures",
        failures: 5,
        open_until: Date.now() + 30_000,
        version: 2,
      },
    ]);
    await stub(service).reset(service, "repaired", "operator");
    await broker.settle();
    const closed = [{ state: "closed", reason: "manual", version: 3 }];
    expect(await rows(breaker, service)).toMatchObject(closed);
    // An event that is projected again, after those that came later, opens nothing.
    const streamId = `breaker/${service}`;
    await env.DB.prepare("UPDATE streams SET projected_version = 1 WHERE stream_id = ?")
      .bind(streamId)
      .run();
    const event = (await logOf(service))[1];
    broker.put("EVENTS_QUEUE", { streamId, version: 2, event });
    await broker.settle();
    expect(
      await rows("SELECT projected_version AS v FROM streams WHERE stream_id = ?", streamId),
    ).toEqual([
      // The log is read on to its end.
      { v: 3 },
    ]);
    expect(await rows(breaker, service)).toMatchObject(closed);
  });

  it("whose messages are lost is projected from its own log", async () => {
    const service = "source:lost";
    await open(service);
    const [last] = broker
      .take("EVENTS_QUEUE")
      .filter(({ body }) => JSON.stringify(body).includes(service))
      .slice(-1);
    broker.put("EVENTS_QUEUE", { streamId: `breaker/${service}`, version: 2, event: null });
    expect(last).toBeDefined();
    await broker.settle();
    expect(await rows("SELECT state FROM breakers WHERE service = ?", service)).toEqual([
      { state: "open" },
    ]);
    expect(
      await rows("SELECT version FROM events WHERE stream_id = ?", `breaker/${service}`),
    ).toHaveLength(2);
  });

  it("whose messages and whose callers are lost tells the read model how far its log reaches", async () => {
    const service = "source:forgotten";
    const known =
      "SELECT known_version AS known, projected_version AS projected FROM streams WHERE stream_id = ?";
    await open(service);
    broker.take("EVENTS_QUEUE");
    expect(await rows(known, `breaker/${service}`)).toEqual([]);
    await evictDurableObject(stub(service));
    await runDurableObjectAlarm(stub(service));
    // Now the sweep will see that it is behind and send for its events.
    expect(await rows(known, `breaker/${service}`)).toEqual([{ known: 2, projected: 0 }]);
  });

  it("writes state and events together or not at all", async () => {
    const service = "source:torn";
    const permit = permitOf(await stub(service).acquire(service, "x", "AAPL"));
    for (let failure = 0; failure < 4; failure++)
      await stub(service).report(service, permit, "AAPL", DOWN, null);
    await runInDurableObject(stub(service), (_, { storage }) => {
      const exec = storage.sql.exec.bind(storage.sql);
      storage.sql.exec = (query, ...values) => {
        if (query.startsWith("INSERT OR REPLACE INTO breaker")) throw new Error("the disk is full");
        return exec(query, ...values);
      };
    });
    expect(await refusalOf(stub(service).report(service, permit, "AAPL", DOWN, null))).toContain(
      "the disk is full",
    );
    await evictDurableObject(stub(service));
    expect(await logOf(service)).toHaveLength(1);
    expect(await stub(service).view(service)).toMatchObject({
      state: { kind: "closed", failures: 4 },
      version: 1,
    });
  });

  it("refuses a log that its state does not know, a gap, and a change of an event", async () => {
    const service = "source:guarded";
    await open(service);
    const refusals = await runInDurableObject(stub(service), (_, { storage: { sql } }) => {
      const hash = "0".repeat(64);
      return [
        "UPDATE events SET body = '{}' WHERE version = 1",
        "DELETE FROM events WHERE version = 2",
        `INSERT INTO events (version, event_id, body, hash) VALUES (9, 'x', '{}', '${hash}')`,
        "INSERT INTO events (version, event_id, body, hash) VALUES (3, 'x', '{}', '')",
      ].map((statement) => {
        try {
          sql.exec(statement);
          return null;
        } catch (error) {
          return String(error);
        }
      });
    });
    expect(refusals).toEqual([
      expect.stringContaining("immutable"),
      expect.stringContaining("kept"),
      expect.stringContaining("gapless"),
      expect.stringContaining("CHECK"),
    ]);
    await runInDurableObject(stub(service), (_, { storage: { sql } }) => {
      sql.exec("UPDATE breaker SET version = 1");
    });
    expect(await refusalOf(stub(service).reset(service, "by hand", "test"))).toContain(
      "its log at 2",
    );
  });

  it("refuses commands for another service", async () => {
    expect(await refusalOf(stub("source:mine").acquire("source:yours", "x", "AAPL"))).toContain(
      "reached the breaker of",
    );
    vi.restoreAllMocks();
    broker = new Broker();
  });
});
