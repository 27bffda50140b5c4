import { describe, expect, it } from "vitest";
import { stuckAt } from "../../../src/domain/process/decide.ts";
import { STORED_ATTEMPTS } from "../../../src/domain/process/state.ts";
import { specification } from "../../kit/given.ts";
import {
  begin,
  begun,
  compensating,
  deciderOf,
  failFor,
  fault,
  MINUTE,
  refuse,
  retries,
  stepDone,
  succeed,
  TRIP,
  undone,
  wait,
} from "./trip.ts";

const { given, fold } = specification(deciderOf(TRIP));
const twoDone = [begun(0), stepDone(1), begun(2), stepDone(3)];
const allDone = [...twoDone, begun(4), stepDone(5), { fact: "ProcessCompleted", at: 5 } as const];
const stuck = { fact: "ProcessStuck", at: 9, error: fault } as const;

describe("a process going forward", () => {
  it("does its steps one after the other and is completed after the last", () => {
    given().when(begin(0)).then({ fact: "StepBegun", leaseUntil: MINUTE });
    given(begun(0))
      .when(succeed(1, { seat: "1A" }))
      .then({ fact: "StepDone", result: { seat: "1A" } });
    given(...twoDone, begun(4))
      .when(succeed(5))
      .then({ fact: "StepDone" }, { fact: "ProcessCompleted", at: 5 });
  });

  it("polls again, less and less often, until the thing it waits for exists", () => {
    const looks = [2, 4, 8, 16, 30, 30];
    const history = [begun(0)];
    for (const seconds of looks) {
      const until = seconds * 1000;
      given(...history)
        .when(wait(0))
        .then({ fact: "StepWaits", until });
      history.push({ fact: "StepWaits", at: 0, until } as never, begun(0));
    }
  });

  it("tries again after a passing fault, and is taken back when its tries run out", () => {
    given(begun(0))
      .when(failFor(1))
      .then({ fact: "StepRetries", until: 10_001, attempt: { outcome: "later" } });
    given(begun(0), stepDone(1), begun(2), retries(3), begun(13_000))
      .when(failFor(13_001))
      .then({ fact: "StepFailed" }, { fact: "CompensationBegan", error: fault });
  });

  it("is taken back at once when it is refused", () => {
    given(...twoDone, begun(4))
      .when(refuse(5))
      .then({ fact: "StepFailed", attempt: { outcome: "refused" } }, { fact: "CompensationBegan" });
  });

  it("is not begun by a second worker, nor before its time, nor after its end", () => {
    given(begun(0)).when(begin(1)).thenRefused("leased");
    given(begun(0), retries(1)).when(begin(2)).thenRefused("not_due");
    given(...allDone)
      .when(begin(99))
      .thenRefused("finished");
    given(begun(0), stuck).when(begin(99)).thenRefused("stuck");
  });

  it("is begun again when the worker with its lease has not come back", () => {
    given(begun(0)).when(begin(MINUTE)).then({ fact: "StepBegun", at: MINUTE });
  });

  it("accepts no outcome from a worker without the lease", () => {
    given().when(succeed(1)).thenRefused("not_leased");
    given(begun(0), stepDone(1)).when(succeed(2)).thenRefused("not_leased");
    given(...allDone)
      .when(succeed(9))
      .thenRefused("not_leased");
  });
});

describe("a process going backward", () => {
  it("compensates the begun steps in reverse order, skipping those without a compensation", () => {
    given(...twoDone, begun(4), compensating(5))
      .when()
      .thenState(({ step, state }) => {
        expect([step, state]).toEqual([2, "compensating"]);
      });
    given(...twoDone, begun(4), compensating(5), begun(6))
      .when(succeed(7))
      .then({ fact: "StepCompensated" });
    given(...twoDone, begun(4), compensating(5), begun(6), undone(7))
      .when()
      .thenState(({ step }) => expect(step).toBe(0));
    given(...twoDone, begun(4), compensating(5), begun(6), undone(7), begun(8))
      .when(succeed(9))
      .then({ fact: "StepCompensated" }, { fact: "ProcessCompensated", at: 9 });
  });

  it("does not compensate a step that never began", () => {
    given(begun(0), compensating(1))
      .when()
      .thenState(({ step }) => expect(step).toBe(0));
    given()
      .when({ do: "compensate", at: 1, reason: "changed my mind" })
      .then({ fact: "CompensationBegan" }, { fact: "ProcessCompensated" });
  });

  it("is stuck when a compensation's own tries run out or it is refused", () => {
    given(begun(0), compensating(1), begun(2), retries(3), begun(13_000))
      .when(failFor(13_001))
      .then({ fact: "StepFailed" }, { fact: "ProcessStuck", error: fault });
    given(begun(0), compensating(1), begun(2))
      .when(refuse(3))
      .then({ fact: "StepFailed" }, { fact: "ProcessStuck" });
  });
});

describe("a person", () => {
  it("resumes a stuck process at its step, with all its tries again", () => {
    given(begun(0), stepDone(1), begun(2), retries(3), stuck)
      .when({ do: "resume", at: 20 })
      .then({ fact: "ProcessResumed" });
    given(begun(0), stepDone(1), begun(2), retries(3), stuck, { fact: "ProcessResumed", at: 20 })
      .when()
      .thenState((state) =>
        expect(state).toMatchObject({ state: "running", step: 1, tries: 0, since: 20, dueAt: 20 }),
      );
    given(begun(0), compensating(1), stuck, { fact: "ProcessResumed", at: 20 })
      .when()
      .thenState(({ state }) => expect(state).toBe("compensating"));
    given(begun(0)).when({ do: "resume", at: 1 }).thenRefused("not_stuck");
  });

  it("compensates a process on request, also one that is completed or stuck, but not one that is leased", () => {
    const order = { do: "compensate", at: 99_999, reason: "wrong symbol" } as const;
    const error = { code: "compensation_ordered", detail: "wrong symbol" };
    given(...allDone)
      .when(order)
      .then({ fact: "CompensationBegan", error });
    given(begun(0), stuck).when(order).then({ fact: "CompensationBegan", error });
    given(begun(50_000)).when(order).thenRefused("leased");
    given(begun(0)).when(order).then({ fact: "CompensationBegan" });
    given(begun(0), compensating(1)).when(order).thenRefused("compensating_already");
    given(begun(0), compensating(1), stuck).when(order).thenRefused("compensating_already");
  });
});

describe("the stuck detector", () => {
  const look = (at: number) => ({ do: "detectStuck", at }) as const;

  it("finds a step that exceeds its bound, and reports it", () => {
    given(begun(0)).when(look(600_000)).thenNothing();
    given(begun(0))
      .when(look(600_001))
      .then({
        fact: "ProcessStuck",
        error: { code: "stuck", detail: "the step flight has not got through for 600 s" },
      });
    given(begun(0), compensating(100_000))
      .when(look(700_001))
      .then({
        fact: "ProcessStuck",
        error: { detail: "the compensation of flight has not got through for 600 s" },
      });
  });

  it("ignores processes that are leased, ended, or stuck already", () => {
    given(begun(600_000)).when(look(600_001)).thenNothing();
    given(...allDone)
      .when(look(9e9))
      .thenNothing();
    given(begun(0), stuck).when(look(9e9)).thenNothing();
    expect(stuckAt(TRIP, fold(allDone))).toBeNull();
  });
});

it("keeps the last attempts of a step and not more", () => {
  const history = Array.from({ length: 80 }, (_, n) => [begun(n), retries(n)]).flat();
  expect(fold(history).steps[0]?.attempts).toHaveLength(STORED_ATTEMPTS);
  expect(fold(history).steps[0]?.attempts.at(-1)?.startedAt).toBe(79);
});
