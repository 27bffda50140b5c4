import { historicalReturns } from "./expected-returns.ts";
import type { Matrix } from "./matrix.ts";
import type { ReturnTable } from "./returns.ts";
import { ledoitWolfCovariance, sampleCovariance } from "./risk-model.ts";

export const EXPECTED_RETURNS = ["historical"] as const;
export type ExpectedReturns = (typeof EXPECTED_RETURNS)[number];

export const RISK_MODELS = ["sample", "ledoitWolf"] as const;
export type RiskModel = (typeof RISK_MODELS)[number];

/**
 * Inputs of a method: expected returns and their covariance, both per year, in the order of
 * `symbols`.
 */
export interface Moments {
  readonly symbols: readonly string[];
  readonly expectedReturns: readonly number[];
  readonly covariance: Matrix;
}

/** Estimators of moments from returns; `periodsPerYear` as in `indicators/periods-per-year.ts`. */
export interface Estimators {
  readonly expectedReturns: ExpectedReturns;
  readonly riskModel: RiskModel;
  readonly periodsPerYear: number;
}

const COVARIANCES: Readonly<
  Record<RiskModel, (table: ReturnTable, periodsPerYear: number) => Matrix>
> = {
  sample: sampleCovariance,
  ledoitWolf: (table, periodsPerYear) => ledoitWolfCovariance(table, periodsPerYear).covariance,
};

export const momentsOf = (
  table: ReturnTable,
  { riskModel, periodsPerYear }: Estimators,
): Moments => ({
  symbols: table.symbols,
  expectedReturns: historicalReturns(table, periodsPerYear),
  covariance: COVARIANCES[riskModel](table, periodsPerYear),
});
