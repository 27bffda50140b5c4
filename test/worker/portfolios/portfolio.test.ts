import { describe, expect, it } from "vitest";
import { optimize } from "../../../src/domain/portfolio/optimize.ts";

describe("portfolio optimisation in workerd", () => {
  it("gives the weights that can be worked out by hand", () => {
    const moments = {
      symbols: ["A", "B"],
      expectedReturns: [0.05, 0.12],
      covariance: [
        [0.04, 0],
        [0, 0.16],
      ],
    };
    const limits = { bound: { min: 0, max: 1 }, assets: { A: { max: 0.7 } } };
    const answer = optimize(moments, { method: "minVolatility" }, { limits, riskFreeRate: 0 });
    // Without the limit it would be 0.8 and 0.2, in inverse proportion of the variances.
    expect(answer.kind === "done" && answer.value.weights).toEqual({
      A: expect.closeTo(0.7, 12),
      B: expect.closeTo(0.3, 12),
    });
  });
});
