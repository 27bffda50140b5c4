import { env } from "cloudflare:workers";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import type { AssetRecord } from "../../../src/records/assets/asset-records.ts";
import { type Answer, api } from "./api.ts";
import type { Broker } from "./broker.ts";
import { DAY, enqueueImport, openAsset } from "./market.ts";

/** Numbers that look like chance and are the same at every call. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

type Matrix = readonly (readonly number[])[];
const at = (matrix: Matrix, row: number, column: number): number => matrix[row]?.[column] ?? 0;

/** The lower triangle L of a positive definite matrix, L·Lᵀ. */
function triangleOf(matrix: Matrix): number[][] {
  const lower: number[][] = matrix.map((row) => row.map(() => 0));
  for (let i = 0; i < matrix.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(matrix, i, j);
      for (let k = 0; k < j; k++) sum -= at(lower, i, k) * at(lower, j, k);
      (lower[i] ?? [])[j] = i === j ? Math.sqrt(sum) : sum / at(lower, j, j);
    }
  }
  return lower;
}

/** x of L·x = b. */
function solved(lower: Matrix, b: readonly number[]): number[] {
  const x: number[] = [];
  for (let i = 0; i < b.length; i++) {
    const known = x.reduce((sum, value, k) => sum + at(lower, i, k) * value, 0);
    x.push(((b[i] ?? 0) - known) / at(lower, i, i));
  }
  return x;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Returns whose sample covariance per year is exactly this one, and whose compound growth per year
 * is `expected`.
 */
function returnsWith(covariance: Matrix, expected: readonly number[], count: number): number[][] {
  const roll = dice(7);
  const raw = Array.from({ length: count }, () => covariance.map(roll));
  const means = covariance.map((_, asset) => mean(raw.map((row) => row[asset] ?? 0)));
  const centred = raw.map((row) => row.map((value, asset) => value - (means[asset] ?? 0)));
  const own = covariance.map((_, i) =>
    covariance.map(
      (__, j) => centred.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0) / (count - 1),
    ),
  );
  const [from, to] = [
    triangleOf(own),
    triangleOf(covariance.map((row) => row.map((value) => value / 252))),
  ];
  const shaped = centred
    .map((row) => solved(from, row))
    .map((white) =>
      to.map((row) => row.reduce((sum, value, k) => sum + value * (white[k] ?? 0), 0)),
    );
  const drift = expected.map((wanted, asset) =>
    driftOf(
      shaped.map((row) => row[asset] ?? 0),
      wanted,
    ),
  );
  return shaped.map((row) => row.map((value, asset) => value + (drift[asset] ?? 0)));
}

/** What has to be added to each return for this growth per year, by halving. */
function driftOf(returns: readonly number[], wanted: number): number {
  let [low, high] = [-0.05, 0.05];
  for (let turn = 0; turn < 200; turn++) {
    const middle = (low + high) / 2;
    const growth = returns.reduce((sum, value) => sum + Math.log1p(value + middle), 0);
    if (Math.expm1((growth * 252) / returns.length) < wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Closes of each asset, oldest first, with exactly these moments per year. */
export function closesWith(
  covariance: Matrix,
  expected: readonly number[],
  count = 60,
): number[][] {
  const returns = returnsWith(covariance, expected, count);
  return covariance.map((_, asset) => {
    const closes = [100];
    for (const row of returns) closes.push((closes.at(-1) ?? 0) * (1 + (row[asset] ?? 0)));
    return closes;
  });
}

const barsOf = (closes: readonly number[], first = Date.UTC(2020, 0, 1)): Bar[] =>
  closes.map((close, index) => ({
    timestamp: first + index * DAY,
    open: close,
    high: close,
    low: close,
    close,
    volume: 1_000,
  }));

/** Assets with these closes, all the way through the import and the read model. */
export async function openSeries(
  broker: Broker,
  series: Readonly<Record<string, readonly number[]>>,
  changes: Partial<AssetRecord> = {},
): Promise<void> {
  for (const [symbol, closes] of Object.entries(series)) {
    await openAsset(symbol, changes);
    broker.put("INGEST_QUEUE", await enqueueImport(symbol, "history", barsOf(closes)));
  }
  await broker.settle();
}

/** A wavy series of its own for each number. */
export const wave = (kind: number, count = 120): number[] =>
  Array.from(
    { length: count },
    (_, day) =>
      100 * (1 + kind / 10) +
      8 * Math.sin(day / (3 + kind)) +
      5 * Math.cos(day / (11 - kind)) +
      day / 20,
  );

export async function openPortfolio(
  symbols: readonly string[],
  more: object = {},
): Promise<string> {
  const { status, body } = await api("POST", "/portfolios", {
    name: symbols.join(" and "),
    symbols,
    ...more,
  });
  if (status !== 201) throw new Error(`no portfolio: ${JSON.stringify(body)}`);
  return String(body["id"]);
}

export interface Ordered {
  readonly jobId: string;
  readonly id: string;
}

export async function order(portfolio: string, wish: object): Promise<Ordered> {
  const { status, body } = await api("POST", `/portfolios/${portfolio}/optimizations`, wish);
  if (status !== 202) throw new Error(`not ordered: ${JSON.stringify(body)}`);
  return { jobId: String(body["jobId"]), id: String(body["id"]) };
}

export const shown = async (portfolio: string, id: string): Promise<Answer["body"]> =>
  (await api("GET", `/portfolios/${portfolio}/optimizations/${id}`)).body;

/** What is written down about a portfolio: its events and rows, without instants. */
export async function recordOf(portfolio: string) {
  const [events, results] = await Promise.all([
    env.DB.prepare(
      "SELECT version, event_type, job_id FROM events WHERE stream_id = ? ORDER BY version",
    )
      .bind(`portfolio/${portfolio}`)
      .all(),
    env.DB.prepare(
      "SELECT job_id, result FROM portfolio_optimizations WHERE portfolio_id = ? ORDER BY job_id",
    )
      .bind(portfolio)
      .all(),
  ]);
  return { events: events.results, results: results.results };
}
