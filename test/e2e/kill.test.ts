import { expect, test } from "vitest";
import { soak } from "../kill/soak.ts";

/**
 * A few of the kills that `npm run kill -- --times 50` makes, so that each run of the suite has met
 * some.
 */
const KILLS = 4;

test("killed at random moments, the system loses nothing and does nothing twice", {
  timeout: 600_000,
}, async () => {
  const { violations, kills, accepted, events } = await soak(KILLS, 4711);
  expect(violations).toEqual([]);
  expect(kills).toBe(KILLS);
  // Each round has had something accepted; imports that repeat others bring no event, so their
  // number proves nothing.
  expect(accepted).toBeGreaterThanOrEqual(KILLS);
  expect(events).toBeGreaterThan(KILLS);
});
