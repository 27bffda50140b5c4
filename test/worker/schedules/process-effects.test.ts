import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import {
  findProcess,
  hasEffect,
  noteEffect,
  saveProcess,
} from "../../../src/records/jobs/process-records.ts";
import { Broker } from "../kit/broker.ts";
import { rows, stopClock } from "../kit/market.ts";
import { start } from "../kit/onboarding.ts";

beforeAll(() => {
  stopClock();
  new Broker();
});

/**
 * What a worker writes who has had an effect: the note, and the audit row that stands for the
 * effect.
 */
const note = (processId: string, key: string, auditId: string) =>
  env.DB.batch(
    noteEffect(env.DB, {
      processId,
      key,
      audit: {
        id: auditId,
        at: Date.now(),
        actor: "admin",
        action: "notification.send",
        subject: `${processId} is told`,
        outcome: "done",
        detail: null,
      },
    }),
  );
const told = (processId: string) =>
  rows("SELECT id FROM audit_log WHERE subject = ? ORDER BY id", `${processId} is told`);

describe("the effect of a step", () => {
  it("of which a second worker did not know is on record once", async () => {
    const id = await start("TWICE", "import");
    await Promise.all([note(id, "notify", "first"), note(id, "notify", "second")]);
    await note(id, "notify", "third");
    expect(await told(id)).toHaveLength(1);
    expect(await hasEffect(env.DB, id, "notify")).toBe(true);
    expect(await rows("SELECT deeds FROM processes WHERE id = ?", id)).toEqual([
      { deeds: '["notify"]' },
    ]);
    await note(id, "notify/back", "correction");
    expect(await told(id)).toHaveLength(2);
  });

  it("of a process that does not exist is not noted", async () => {
    await note("onboardAsset|NOBODY|000001", "notify", "nobody");
    expect(await told("onboardAsset|NOBODY|000001")).toEqual([]);
    expect(await hasEffect(env.DB, "onboardAsset|NOBODY|000001", "notify")).toBe(false);
  });
});

describe("the progress of a process", () => {
  it("is that of the first who moves it on from a version; the second changes nothing, not even the audit", async () => {
    const id = await start("MOVED", "import");
    const found = await findProcess(env.DB, id);
    if (found === null) throw new Error("no process");
    const entry = (name: string) => ({
      id: name,
      at: Date.now(),
      actor: "admin",
      action: "process.test",
      subject: id,
      outcome: "done",
      detail: null,
    });
    const later = { ...found, progress: { ...found.progress, tries: 7 } };
    expect(await saveProcess(env.DB, found, Date.now(), [entry("first mover")])).toBe(true);
    expect(await saveProcess(env.DB, later, Date.now(), [entry("second mover")])).toBe(false);
    expect(await findProcess(env.DB, id)).toMatchObject({
      version: found.version + 1,
      progress: found.progress,
    });
    const moved = await rows(
      "SELECT id FROM audit_log WHERE subject = ? AND action = 'process.test'",
      id,
    );
    expect(moved).toEqual([{ id: "first mover" }]);
  });
});
