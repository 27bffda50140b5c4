import { LONG_ONLY } from "../../src/domain/portfolio/limits.ts";
import type { Moments } from "../../src/domain/portfolio/moments.ts";
import { efficientFrontier, type Method, optimize } from "../../src/domain/portfolio/optimize.ts";
import { type OptimizationInput, optimizationReport } from "../../src/domain/portfolio/report.ts";
import { DEFAULT_REQUEST } from "../../src/domain/portfolio/request.ts";
import { show, table, timings } from "../measure.ts";
import { peer } from "../peer.ts";

/** The part of portfolio-allocation that is used here. */
type Allocation = Readonly<
  Record<
    "globalMinimumVarianceWeights" | "equalRiskContributionWeights" | "inverseVolatilityWeights",
    (covariance: readonly (readonly number[])[], options?: object) => readonly number[]
  > & {
    maximumSharpeRatioWeights: (
      returns: readonly number[],
      covariance: readonly (readonly number[])[],
      riskFree: number,
    ) => readonly number[];
  }
>;
const allocation = peer<Allocation>("portfolio-allocation");

/** Park and Miller's generator: the same problems in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Assets with three common factors and risks of their own, per year. */
function market(n: number): Moments {
  const random = dice(n);
  const loads = Array.from({ length: n }, () => [
    0.1 + 0.1 * random(),
    0.1 * random(),
    0.05 * random(),
  ]);
  const own = loads.map(() => (0.05 + 0.2 * random()) ** 2);
  return {
    symbols: loads.map((_, index) => `A${index}`),
    expectedReturns: loads.map(([first = 0]) => 0.02 + 0.4 * first + 0.06 * (random() - 0.5)),
    covariance: loads.map((row, i) =>
      loads.map(
        (column, j) =>
          row.reduce((sum, load, factor) => sum + load * (column[factor] ?? 0), 0) +
          (i === j ? (own[i] ?? 0) : 0),
      ),
    ),
  };
}

const RISK_FREE = 0.01;

function weightsOf(moments: Moments, method: Method): readonly number[] {
  const answer = optimize(moments, method, { limits: LONG_ONLY, riskFreeRate: RISK_FREE });
  if (answer.kind === "refused") throw new Error(JSON.stringify(answer));
  return Object.values(answer.value.weights);
}

/** Distance of two answers: the largest difference of a weight. */
const apart = (one: readonly number[], other: readonly number[]): number =>
  Math.max(...one.map((weight, index) => Math.abs(weight - (other[index] ?? Number.NaN))));

/** The optimiser and portfolio-allocation, on the same covariances, long only. */
export function optimiserBench(): void {
  for (const n of [20, 50, 100]) {
    const moments = market(n);
    const { expectedReturns, covariance } = moments;
    const methods: readonly (readonly [Method, () => readonly number[]])[] = [
      [{ method: "minVolatility" }, () => allocation.globalMinimumVarianceWeights(covariance)],
      [
        { method: "maxSharpe" },
        () => allocation.maximumSharpeRatioWeights(expectedReturns, covariance, RISK_FREE),
      ],
      [{ method: "riskParity" }, () => allocation.equalRiskContributionWeights(covariance)],
    ];
    for (const [method, other] of methods) {
      const own = () => weightsOf(moments, method);
      const found = timings(
        [
          { name: "InversorAI", run: own },
          { name: "portfolio-allocation 0.0.11", run: other },
        ],
        { rounds: 7 },
      );
      for (const line of table(`${method.method}, ${n} assets`, "ms", 1, found)) console.log(line);
      console.log(
        `the two answers differ by at most ${apart(own(), other()).toExponential(1)} in a weight\n`,
      );
    }
  }
  for (const line of alone()) console.log(line);
}

/** Work without a peer: large ones, a frontier, and all that a job computes for a portfolio. */
function alone(): string[] {
  const [hundred, big] = [market(100), market(400)];
  const limits = { limits: LONG_ONLY, riskFreeRate: RISK_FREE };
  const target = 0.6 * Math.max(...hundred.expectedReturns);
  const input = (method: Method["method"]) => jobOf(100, 1_260, method);
  const [calm, sharp] = [input("minVolatility"), input("maxSharpe")];
  const found = timings(
    [
      { name: "hrp, 400 assets (target: 15)", run: () => weightsOf(big, { method: "hrp" }) },
      { name: "riskParity, 400 assets", run: () => weightsOf(big, { method: "riskParity" }) },
      {
        name: "minVolatility, 400 assets (100)",
        run: () => weightsOf(big, { method: "minVolatility" }),
      },
      {
        name: "efficientReturn, 100 assets",
        run: () => weightsOf(hundred, { method: "efficientReturn", target }),
      },
      {
        name: "frontier of 50 points, 100 assets (150)",
        run: () => efficientFrontier(hundred, limits, 50),
      },
      {
        name: "a job's report, minVolatility, 100 assets, 1,260 days (2,000)",
        run: () => optimizationReport(calm),
      },
      {
        name: "a job's report, maxSharpe, 100 assets, 1,260 days (2,000)",
        run: () => optimizationReport(sharp),
      },
    ],
    { rounds: 5 },
  );
  return [
    "| ours alone | ms | undisturbed |",
    "|---|---:|---:|",
    ...[...found].map(([name, timing]) => `| ${name} | ${show(timing)} |`),
  ];
}

/** Closes of assets that share a market, as a job reads them. */
function jobOf(assets: number, days: number, method: Method["method"]): OptimizationInput {
  const random = dice(assets);
  const moves = Array.from({ length: days }, () => 0.02 * (random() - 0.49));
  return {
    periodsPerYear: 252,
    request: { ...DEFAULT_REQUEST, method },
    assets: Array.from({ length: assets }, (_, index) => {
      let close = 100;
      const points = moves.map((move, day) => {
        close *= 1 + move + 0.03 * (random() - 0.495);
        return { timestamp: day * 86_400_000, close };
      });
      return { symbol: `A${index}`, currency: "USD", source: "bench", points };
    }),
  };
}
