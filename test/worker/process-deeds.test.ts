import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { hasDeed, noteDeed } from "../../src/records/process-records.ts";
import { Broker } from "./broker.ts";
import { rows, stopClock } from "./market.ts";
import { start } from "./onboarding.ts";

beforeAll(() => {
  stopClock();
  new Broker();
});

/** What a worker writes who has had an effect: the note, and the audit row that stands for the effect. */
const note = (processId: string, key: string, auditId: string) =>
  env.DB.batch(
    noteDeed(env.DB, {
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
    expect(await hasDeed(env.DB, id, "notify")).toBe(true);
    expect(await rows("SELECT deeds FROM processes WHERE id = ?", id)).toEqual([{ deeds: '["notify"]' }]);
    await note(id, "notify/back", "correction");
    expect(await told(id)).toHaveLength(2);
  });

  it("of a process that does not exist is not noted", async () => {
    await note("onboardAsset|NOBODY|000001", "notify", "nobody");
    expect(await told("onboardAsset|NOBODY|000001")).toEqual([]);
    expect(await hasDeed(env.DB, "onboardAsset|NOBODY|000001", "notify")).toBe(false);
  });
});
