import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DeliveryVerdict, readAnswer } from "../../../src/domain/delivery/webhook.ts";
import { type Decider, specification } from "../../kit/given.ts";

const SCHEDULE = [5, 300, 1800];

interface Delivery {
  readonly state: "open" | DeliveryVerdict["kind"];
  readonly attempts: number;
}
interface Answer {
  readonly status: number | null;
  readonly retryAfter?: number;
  readonly random?: number;
}

/**
 * One delivery in the webhooks consumer: each response is an attempt, and a verdict is the decision
 * on it.
 */
const delivery: Decider<Delivery, Answer, DeliveryVerdict> = {
  initial: () => ({ state: "open", attempts: 0 }),
  evolve: ({ attempts }, { kind }) => ({ state: kind, attempts: attempts + 1 }),
  decide: ({ state, attempts }, { status, retryAfter = 0, random = 0 }) => {
    if (state !== "open" && state !== "retry") return { refused: `it is ${state} already` };
    return [readAnswer(status, attempts + 1, SCHEDULE, retryAfter, random)];
  },
};
const { given, fold } = specification(delivery);

const FAILED: Answer = { status: 500 };
const answer = fc.record({
  status: fc.constantFrom(null, 200, 204, 301, 400, 401, 404, 410, 429, 500, 503),
  retryAfter: fc.nat({ max: 200_000 }),
  random: fc.double({ min: 0, max: 0.999999, noNaN: true }),
});

describe("a delivery", () => {
  it("is done with the first answer of the 200s", () => {
    given().when({ status: 204 }).then({ kind: "delivered" });
    given().when({ status: 200 }, FAILED).thenRefused("it is delivered already");
  });

  it("is retried by its table, never earlier than requested", () => {
    given().when(FAILED).then({ kind: "retry", afterSeconds: 5 });
    given().when(FAILED, { status: null }).then({ kind: "retry", afterSeconds: 300 });
    given().when({ status: 429, retryAfter: 900 }).then({ kind: "retry", afterSeconds: 900 });
    given().when({ status: 302 }).then({ kind: "retry" });
  });

  it("is exhausted after the last entry of its table, and gone when the receiver says so", () => {
    given().when(FAILED, FAILED, FAILED, FAILED).then({ kind: "exhausted" });
    given().when(FAILED, { status: 410 }).then({ kind: "gone" });
  });

  it("ends after a bounded number of answers, whatever they are, and stays ended", () => {
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 12 }), (answers) => {
        const history: DeliveryVerdict[] = [];
        for (const one of answers) {
          const before = fold(history);
          const decided = delivery.decide(before, one);
          const over = before.state !== "open" && before.state !== "retry";
          expect("refused" in decided).toBe(over);
          if ("refused" in decided) continue;
          history.push(...decided);
          const [verdict] = decided;
          if (verdict?.kind !== "retry") continue;
          const planned = SCHEDULE[before.attempts] ?? Number.NaN;
          expect(verdict.afterSeconds).toBeGreaterThanOrEqual(
            Math.min(86_400, Math.max(planned, one.retryAfter)),
          );
          expect(verdict.afterSeconds).toBeLessThanOrEqual(
            Math.min(86_400, Math.max(Math.ceil(planned * 1.1), one.retryAfter)),
          );
        }
        const { attempts, state } = fold(history);
        expect(attempts).toBeLessThanOrEqual(SCHEDULE.length + 1);
        if (answers.length > SCHEDULE.length)
          expect(["delivered", "gone", "exhausted"]).toContain(state);
      }),
    );
  });
});
