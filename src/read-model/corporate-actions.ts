import {
  type ActionColumns,
  type CorporateAction,
  fromColumns,
} from "../domain/asset/corporate-action.ts";
import {
  actionsBetween,
  actionsByKey,
  type ClosesAround,
  splitSteps,
} from "../domain/asset/split-steps.ts";
import {
  type ActionsBetween,
  type AdjustmentStep,
  adjustmentSteps,
  type StepsReading,
} from "../domain/asset/total-return.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import type { Reader } from "../reader.ts";

/** Actions that one question may run through: a weekly payer's for forty years. */
export const MAX_ACTIONS = 2_000;

export type StoredAction = CorporateAction & { readonly source: string };

const COLUMNS = "ex_date AS exDate, type, amount, numerator, denominator";

/** Where a page of actions begins: after this one, on the way to older ones. */
export interface ActionPlace {
  readonly exDate: number;
  readonly type: string;
}

/** Dividends and splits of an asset, newest first. */
export async function listActions(
  db: Reader,
  symbol: string,
  after: ActionPlace | null,
  limit: number,
): Promise<StoredAction[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, source FROM corporate_actions
       WHERE symbol = ?1 AND (ex_date, type) < (?2, ?3) ORDER BY ex_date DESC, type DESC LIMIT ?4`,
    )
    .bind(symbol, after?.exDate ?? Number.MAX_SAFE_INTEGER, after?.type ?? "", limit)
    .all<ActionColumns & { source: string }>();
  return results.map((row) => ({ ...fromColumns(row), source: row.source }));
}

/**
 * Actions with an ex-date (epoch ms) from `from` to `to`, both included, the newest `MAX_ACTIONS`,
 * oldest first.
 */
export async function actionsIn(
  db: Reader,
  symbol: string,
  from: number,
  to: number,
): Promise<CorporateAction[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM corporate_actions
       WHERE symbol = ? AND ex_date BETWEEN ? AND ? ORDER BY ex_date DESC LIMIT ?`,
    )
    .bind(symbol, from, to, MAX_ACTIONS)
    .all<ActionColumns>();
  return results.map(fromColumns).reverse();
}

/** Splits with an ex-date (epoch ms) from `from` on, the newest `MAX_ACTIONS`, oldest first. */
export async function splitsFrom(
  db: Reader,
  symbol: string,
  from: number,
): Promise<CorporateAction[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM corporate_actions
       WHERE symbol = ? AND ex_date >= ? AND type = 'split' ORDER BY ex_date DESC LIMIT ?`,
    )
    .bind(symbol, from, MAX_ACTIONS)
    .all<ActionColumns>();
  return results.map(fromColumns).reverse();
}

/** The series whose bars are to be adjusted, from a key (epoch ms) on. */
export interface AdjustedSeries {
  readonly symbol: string;
  readonly resolution: Resolution;
  readonly calendar: CalendarId;
  readonly from: number;
}

/**
 * The steps that adjust a series' bars from `from` on to total returns: of all actions after it up
 * to the newest bar, so that those beyond the asked window count too. Null when these are more than
 * MAX_ACTIONS. Two queries, whatever the length of the series: one of at most that many rows, one
 * with two seeks into the bars for each of their days.
 */
export async function readSteps(db: Reader, series: AdjustedSeries): Promise<StepsReading | null> {
  const actions = await actionsAfter(db, series, "");
  if (actions.length > MAX_ACTIONS) return null;
  return adjustmentSteps(await betweenBars(db, series, actions));
}

/** More splits no share has had. */
const MAX_SPLITS = 200;

/**
 * The steps of the splits alone that a series' bars still show, oldest first; one query where none
 * is on record.
 */
export async function readSplitSteps(
  db: Reader,
  series: AdjustedSeries,
): Promise<readonly AdjustmentStep[]> {
  const onSplitDays =
    "AND ex_date IN (SELECT ex_date FROM corporate_actions WHERE symbol = ?1 AND type = 'split')";
  const actions = await actionsAfter(db, series, onSplitDays);
  return splitSteps(await betweenBars(db, series, actions.slice(0, MAX_SPLITS)));
}

/**
 * Splits, and what else happened on their days, that had been told by a version of the asset's log;
 * one that was told anew since is left out.
 */
export async function splitsThen(
  db: Reader,
  symbol: string,
  version: number,
): Promise<CorporateAction[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM corporate_actions WHERE symbol = ?1 AND version <= ?2
         AND ex_date IN (SELECT ex_date FROM corporate_actions WHERE symbol = ?1 AND type = 'split' AND version <= ?2)
       ORDER BY ex_date LIMIT ?3`,
    )
    .bind(symbol, version, MAX_SPLITS)
    .all<ActionColumns>();
  return results.map(fromColumns);
}

async function actionsAfter(
  db: Reader,
  { symbol, from }: AdjustedSeries,
  which: string,
): Promise<CorporateAction[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM corporate_actions WHERE symbol = ?1 AND ex_date > ?2 ${which} ORDER BY ex_date LIMIT ?3`,
    )
    .bind(symbol, from, MAX_ACTIONS + 1)
    .all<ActionColumns>();
  return results.map(fromColumns);
}

async function betweenBars(
  db: Reader,
  { symbol, resolution, calendar }: AdjustedSeries,
  actions: readonly CorporateAction[],
): Promise<readonly ActionsBetween[]> {
  const byKey = actionsByKey(actions, resolution, calendar);
  if (byKey.size === 0) return [];
  const range = "symbol = ?1 AND resolution = ?2 AND timestamp";
  const { results } = await db
    .prepare(
      `SELECT key, b.close AS before, a.close AS after, a.timestamp AS first FROM
         (SELECT value AS key,
            (SELECT max(timestamp) FROM bars WHERE ${range} < value) AS before_at,
            (SELECT min(timestamp) FROM bars WHERE ${range} >= value) AS after_at FROM json_each(?3))
       LEFT JOIN bars b ON b.symbol = ?1 AND b.resolution = ?2 AND b.timestamp = before_at
       LEFT JOIN bars a ON a.symbol = ?1 AND a.resolution = ?2 AND a.timestamp = after_at ORDER BY key`,
    )
    .bind(symbol, resolution, JSON.stringify([...byKey.keys()]))
    .all<ClosesAround & { key: number }>();
  const around = new Map(results.map(({ key, ...closes }) => [key, closes]));
  return actionsBetween(
    byKey,
    (key) => around.get(key) ?? { before: null, after: null, first: null },
  );
}
