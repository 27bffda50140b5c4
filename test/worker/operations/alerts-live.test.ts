import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { newSecret } from "../../../src/delivery/webhook.ts";
import type { Notification } from "../../../src/domain/alert/alert.ts";
import { api, items } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { passSeconds, rows, stopClock } from "../kit/market.ts";
import { bringBars, start, stateOf, untilEnded } from "../kit/onboarding.ts";
import { damage, finish, grow } from "../kit/reconciled-asset.ts";

/* Alerts whose condition comes true by the flow itself: nothing here writes into the tables that the rules read. */

const SECRET = newSecret();
const RECEIVER = "https://alerts.example/hook";
const on = { ...env, ALERT_WEBHOOK_URL: RECEIVER, ALERT_WEBHOOK_SECRET: SECRET } as Env;

let broker: Broker;
let received: Notification[] = [];
beforeAll(() => {
  stopClock();
  broker = new Broker();
});
beforeEach(() => {
  received = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    expect(String(input)).toBe(RECEIVER);
    const headers = Object.fromEntries(new Headers(init?.headers));
    received.push(new Webhook(SECRET).verify(String(init?.body), headers) as Notification);
    return new Response(null, { status: 204 });
  });
});

/** The cron fires every minute; what is on the queues stays there. */
async function minutes(count: number): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    passSeconds(60);
    await broker.tick(Date.now(), on);
  }
}

const adjustmentOf = (rule: string) =>
  received.filter((one) => one.rule === rule).map(({ kind, value }) => ({ kind, value }));
const alertOf = async (rule: string) =>
  (await items("/backoffice/alerts")).find((one) => one["rule"] === rule) ?? {};
const auditOf = async (rule: string) =>
  (
    await rows<{ action: string }>(
      "SELECT action FROM audit_log WHERE subject = ? ORDER BY id",
      rule,
    )
  ).map(({ action }) => action);

async function compare(repair: boolean, symbols?: readonly string[]): Promise<void> {
  const wish = { depth: "deep", repair, ...(symbols === undefined ? {} : { symbols }) };
  const { status, body } = await api("POST", "/backoffice/reconciliations", wish);
  expect(status).toBe(202);
  await finish(broker, String(body["id"]));
}

describe("the alert about divergences", () => {
  it("is raised once by what a comparison found, holds while something is left, and is cleared once by the repair", async () => {
    await grow(broker, "ONE");
    await grow(broker, "TWO");
    await minutes(1);
    expect(await alertOf("divergences")).toMatchObject({ state: "ok", value: 0 });

    for (const symbol of ["ONE", "TWO"]) {
      await damage(
        "UPDATE bars SET close = close + 1 WHERE symbol = ? AND timestamp = 1577836800000",
        symbol,
      );
    }
    // Damage that nobody has looked for is not known of.
    await minutes(3);
    expect(adjustmentOf("divergences")).toEqual([]);

    await compare(false);
    await minutes(5);
    expect(adjustmentOf("divergences")).toEqual([{ kind: "raised", value: 2 }]);
    expect(await alertOf("divergences")).toMatchObject({ state: "raised", value: 2 });

    // Found again is no news.
    await compare(false);
    await minutes(5);
    expect(adjustmentOf("divergences")).toHaveLength(1);

    // One of two repaired: better, but not well.
    await compare(true, ["ONE"]);
    await minutes(5);
    expect(await alertOf("divergences")).toMatchObject({ state: "raised", value: 1 });
    expect(adjustmentOf("divergences")).toHaveLength(1);

    await compare(true);
    await minutes(5);
    expect(adjustmentOf("divergences")).toEqual([
      { kind: "raised", value: 2 },
      { kind: "cleared", value: 0 },
    ]);
    expect(await alertOf("divergences")).toMatchObject({ state: "ok", value: 0 });
    expect(await auditOf("divergences")).toEqual(["alert.raised", "alert.cleared"]);
  });

  it("is not raised by what is repaired in the run that found it", async () => {
    await damage(
      "UPDATE bars SET close = close + 1 WHERE symbol = 'ONE' AND timestamp = 1577836800000",
    );
    await compare(true);
    await minutes(3);
    expect(adjustmentOf("divergences")).toEqual([]);
  });
});

describe("the alert about stuck processes", () => {
  const HOURS = 12;

  it("is raised once by processes whose step does not move, and cleared once when the last is out of it", async () => {
    await minutes(1);
    expect(await alertOf("stuck-processes")).toMatchObject({ state: "ok", value: 0 });
    const ids = [await start("HUNG"), await start("HUNG2")];
    for (let step = 0; step < 2; step++) await broker.deliverDue("PROCESSES_QUEUE");
    // Their jobs never run: nobody delivers the messages.
    for (let half = 0; half < 2 * HOURS && (await stateOf(ids[1] ?? "")) !== "stuck"; half++) {
      passSeconds(1_740);
      await minutes(1);
      await broker.deliverDue("PROCESSES_QUEUE");
    }
    expect(await Promise.all(ids.map(stateOf))).toEqual(["stuck", "stuck"]);
    await minutes(5);
    expect(adjustmentOf("stuck-processes")).toEqual([{ kind: "raised", value: 2 }]);
    expect(await alertOf("stuck-processes")).toMatchObject({ state: "raised", value: 2 });

    for (const symbol of ["HUNG", "HUNG2"]) await bringBars(symbol);
    for (const [index, id] of ids.entries()) {
      expect((await api("POST", `/processes/${encodeURIComponent(id)}/resume`)).status).toBe(202);
      expect(await untilEnded(broker, id)).toBe("completed");
      await minutes(3);
      expect(await alertOf("stuck-processes")).toMatchObject(
        index === 0 ? { state: "raised", value: 1 } : { state: "ok", value: 0 },
      );
    }
    expect(adjustmentOf("stuck-processes")).toEqual([
      { kind: "raised", value: 2 },
      { kind: "cleared", value: 0 },
    ]);
    expect(await auditOf("stuck-processes")).toEqual(["alert.raised", "alert.cleared"]);
  });
});
