import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fuzz } from "../fuzz/fuzz.ts";
import { type System, startSystem, stopEverything } from "./system.ts";

const REQUESTS = 500;
const SEED = 20_170_103;

let system: System;

beforeAll(async () => {
  system = await startSystem({ env: { DEMO: "off", WEBHOOK_ALLOW_LOOPBACK: "on" } });
});
afterAll(stopEverything);

describe(`${REQUESTS} requests at random, made from the API's own description (npm run fuzz for more)`, () => {
  test("get an answer that is never our fault, and a problem document whenever it is theirs", async () => {
    const report = await fuzz({
      origin: system.origin,
      key: system.key,
      requests: REQUESTS,
      seed: SEED,
    });
    console.log(report.lines().slice(-2).join("\n"));
    expect(report.requests).toBe(REQUESTS);
    expect(
      report.faults.map(({ what, curl, answer }) => `${what}\n${curl}\n${answer}`),
    ).toStrictEqual([]);
    // A fuzz that only ever knocks at the door finds nothing.
    const well = [...report.statuses]
      .filter(([status]) => status < 300)
      .reduce((sum, [, count]) => sum + count, 0);
    expect(well).toBeGreaterThan(REQUESTS / 5);
    expect((await system.api.ask("GET", `${system.origin}/ready`)).status).toBe(200);
  });
});
