import type { Answer } from "../portfolio/portfolio-refusal.ts";
import { limitsIn, methodIn } from "../portfolio/request.ts";
import type { ReturnTable } from "../portfolio/returns.ts";
import { type ChosenWeights, weightsAt } from "../portfolio/walk-forward.ts";
import type { Target } from "./carry.ts";
import { type PortfolioBacktestRequest, rebalancingsOver } from "./portfolio-request.ts";

/**
 * The method's choice at the close before `time`, an index of the table's rows, or the reason why
 * it has none.
 */
export interface Decision {
  readonly time: number;
  readonly chosen: Answer<ChosenWeights>;
}

/** The decisions of a request over a table, one after the other, and their number. */
export const choices = (
  table: ReturnTable,
  request: PortfolioBacktestRequest & { readonly periodsPerYear: number },
): { readonly count: number; readonly decisions: () => Generator<Decision, void> } => {
  const { lookback, rebalanceEvery, expectedReturns, riskModel, riskFreeRate, periodsPerYear } =
    request;
  const plan = {
    ...{ expectedReturns, riskModel, riskFreeRate, periodsPerYear },
    method: methodIn(request),
    limits: limitsIn(request),
    window: lookback,
  };
  return {
    count: rebalancingsOver(request, table.rows.length + 1),
    *decisions() {
      for (let time = lookback; time < table.rows.length; time += rebalanceEvery) {
        yield { time, chosen: weightsAt(table, time, plan) };
      }
    },
  };
};

/** The weights to be filled in each decision's move; null where there are none. */
export const targetsOf = (decisions: readonly Decision[]): Target[] =>
  decisions.map(({ time, chosen }) => ({
    time,
    weights: chosen.kind === "done" ? chosen.value.weights : null,
  }));
