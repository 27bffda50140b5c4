import { type Limits, LONG_ONLY } from "../../../src/domain/portfolio/limits.ts";
import type { Moments } from "../../../src/domain/portfolio/moments.ts";
import {
  efficientFrontier,
  type Method,
  type OptimizedPortfolio,
  optimize,
} from "../../../src/domain/portfolio/optimize.ts";
import type { PortfolioStatistics } from "../../../src/domain/portfolio/portfolio-figures.ts";

/**
 * Two uncorrelated assets: volatilities 20 % and 40 %, returns 5 % and 12 %. The calmest mix is 80
 * : 20.
 */
export const PAIR: Moments = {
  symbols: ["A", "B"],
  expectedReturns: [0.05, 0.12],
  covariance: [
    [0.04, 0],
    [0, 0.16],
  ],
};

export const answerFor = (
  method: Method,
  moments = PAIR,
  limits: Limits = LONG_ONLY,
  riskFreeRate = 0.02,
) => optimize(moments, method, { limits, riskFreeRate });

export const portfolioFor = (...given: Parameters<typeof answerFor>): OptimizedPortfolio => {
  const answer = answerFor(...given);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};

export const refusalOf = (...given: Parameters<typeof answerFor>) => {
  const answer = answerFor(...given);
  return answer.kind === "refused" ? answer.error : null;
};

export const frontierOf = (
  moments: Moments,
  limits: Limits,
  points?: number,
): PortfolioStatistics[] => {
  const answer = efficientFrontier(moments, { limits, riskFreeRate: 0 }, points);
  if (answer.kind === "refused") throw new Error(answer.error.detail);
  return answer.value;
};
