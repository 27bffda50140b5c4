import { beforeAll, describe, expect, it } from "vitest";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { enqueueFromVendor, Vendor, withVendor } from "../kit/demo-vendor.ts";
import { job, openAsset, passSeconds, stopClock } from "../kit/market.ts";
import { lineBehindFourth } from "../kit/parked-jobs.ts";
import { close, every10Minutes, jobsOf } from "../kit/schedules.ts";

let broker: Broker;
let vendor: Vendor;
beforeAll(() => {
  stopClock();
  broker = new Broker();
  vendor = new Vendor();
});

const iso = (instant: number) => new Date(instant).toISOString();
const shown = async (id: string) => (await api("GET", `/jobs/${encodeURIComponent(id)}`)).body;

describe("a job that is to run later", () => {
  it("says when from its order on, alone and in the list, and is scheduled until then", async () => {
    await openAsset("LATER");
    const runsAt = iso(Date.now() + 3_600_000);
    const ordered = await api("POST", "/jobs", {
      kind: "indicators",
      symbol: "LATER",
      delaySeconds: 3600,
    });
    expect(ordered.body).toMatchObject({ nextAttemptAt: runsAt });
    const id = String(ordered.body["jobId"]);
    const expected = { id, state: "scheduled", nextAttemptAt: runsAt, waitingBehind: null };
    expect(await shown(id)).toMatchObject(expected);
    expect(await items("/jobs?symbol=LATER&state=scheduled")).toMatchObject([expected]);
    expect(await items("/jobs?symbol=LATER&state=queued")).toEqual([]);
    passSeconds(3600);
    expect(await shown(id)).toMatchObject({ state: "queued", nextAttemptAt: runsAt });
    expect(await items("/jobs?symbol=LATER&state=queued")).toHaveLength(1);
    expect(await items("/jobs?symbol=LATER&state=scheduled")).toEqual([]);
    await broker.settle();
    expect(await shown(id)).toMatchObject({ finishedAt: iso(Date.now()), nextAttemptAt: null });
  });

  it("says no moment any more once it is cancelled", async () => {
    await openAsset("NEVER");
    const { body } = await api("POST", "/jobs", {
      kind: "indicators",
      symbol: "NEVER",
      delaySeconds: 60,
    });
    const cancelled = await api(
      "POST",
      `/jobs/${encodeURIComponent(String(body["jobId"]))}/cancel`,
    );
    expect(cancelled.body).toMatchObject({ state: "cancelled", nextAttemptAt: null });
  });

  it("says its moment when a slot's jitter chose it", async () => {
    await openAsset("SPREAD");
    await every10Minutes("SPREAD", { jitterSeconds: 300 });
    passSeconds(600);
    await broker.tick();
    await broker.deliverDue("SCHEDULE_QUEUE");
    const [deadLetter] = broker.waiting("INGEST_QUEUE");
    const [{ id } = { id: "" }] = await jobsOf("SPREAD");
    expect(deadLetter?.notBefore).toBeGreaterThan(Date.now());
    expect(await shown(id)).toMatchObject({
      state: "scheduled",
      nextAttemptAt: iso(deadLetter?.notBefore ?? 0),
    });
    broker.take("INGEST_QUEUE");
    await close("SPREAD");
  });

  it("says its moment when its vendor's limit put it off", async () => {
    vendor.down(429, { "retry-after": "1000" });
    const [message] = await enqueueFromVendor(["LIMITED"], "a");
    const { jobId = "" } = message ?? {};
    broker.put("INGEST_QUEUE", { jobId, kind: "ingest", symbol: "LIMITED" });
    await broker.deliverDueOn("INGEST_QUEUE", withVendor());
    const { dueAt } = await job(jobId);
    expect(dueAt).toBeGreaterThanOrEqual(Date.now() + 1_000_000);
    expect(await shown(jobId)).toMatchObject({ state: "retrying", nextAttemptAt: iso(dueAt ?? 0) });
    broker.take("INGEST_QUEUE");
  });

  it("says no moment but the dead letter while it waits behind one", async () => {
    const deadLetter = await lineBehindFourth(broker, "BEHIND", 6);
    expect(await shown("ingest|BEHIND|04")).toMatchObject({
      nextAttemptAt: null,
      waitingBehind: deadLetter,
    });
  });
});
