import { describe, expect, it } from "vitest";
import { readAnswer, signedContent } from "../../../src/domain/delivery/webhook.ts";

const SCHEDULE = [5, 300, 1_800];

describe("an answer to a delivery", () => {
  it.each([200, 201, 204, 299])("of %i is success", (status) => {
    expect(readAnswer(status, 1, SCHEDULE, 0, 0)).toEqual({ kind: "delivered" });
  });

  it.each([null, 100, 301, 308, 400, 404, 429, 500, 503])(
    "of %s is tried again by the schedule",
    (status) => {
      expect(readAnswer(status, 1, SCHEDULE, 0, 0)).toEqual({ kind: "retry", afterSeconds: 5 });
      expect(readAnswer(status, 3, SCHEDULE, 0, 0)).toEqual({ kind: "retry", afterSeconds: 1_800 });
      expect(readAnswer(status, 4, SCHEDULE, 0, 0)).toEqual({ kind: "exhausted" });
    },
  );

  it("of 410 asks never to be called again, even at the first attempt", () => {
    expect(readAnswer(410, 1, SCHEDULE, 0, 0)).toEqual({ kind: "gone" });
  });

  it("that asks for more time gets it, up to a day, and one that asks for less does not shorten the wait", () => {
    expect(readAnswer(429, 1, SCHEDULE, 60, 0)).toEqual({ kind: "retry", afterSeconds: 60 });
    expect(readAnswer(429, 2, SCHEDULE, 60, 0)).toEqual({ kind: "retry", afterSeconds: 300 });
    expect(readAnswer(429, 1, SCHEDULE, 10_000_000, 0)).toEqual({
      kind: "retry",
      afterSeconds: 86_400,
    });
  });

  it("is followed by a wait with up to a tenth of jitter", () => {
    expect(readAnswer(500, 2, SCHEDULE, 0, 0.999)).toEqual({ kind: "retry", afterSeconds: 330 });
  });
});

describe("the signed content", () => {
  it("is id, seconds and body, as Standard Webhooks says", () => {
    expect(signedContent("msg_1", 1_614_265_330, '{"test": 2432232314}')).toBe(
      'msg_1.1614265330.{"test": 2432232314}',
    );
  });
});
