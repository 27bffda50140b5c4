import type { FollowedRecommendation } from "../domain/track-record/following.ts";
import { BINS, type BinSums } from "../domain/track-record/statistics.ts";
import type { Reader } from "../reader.ts";

export const TRACK_RECORD_GROUPS = ["asset", "class", "engine", "promptVersion"] as const;
type TrackRecordGroup = (typeof TRACK_RECORD_GROUPS)[number];

/**
 * Which resolutions; `from` and `to` (epoch ms, both included) are about the bar a call was made
 * on.
 */
export interface TrackRecordQuery {
  readonly symbol?: string | undefined;
  readonly assetType?: string | undefined;
  readonly engine?: string | undefined;
  readonly engineVersion?: string | undefined;
  readonly promptVersion?: string | undefined;
  readonly resolution?: string | undefined;
  readonly action?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly groupBy?: TrackRecordGroup | undefined;
}

export interface GroupSums {
  readonly group: string;
  readonly void: number;
  readonly sums: readonly BinSums[];
  /** Calls that do not overlap, series by series, oldest first. */
  readonly recommendations: readonly FollowedRecommendation[];
}

/** What one answer has looked at: the newest resolutions up to a bound. */
export interface Looked {
  readonly rows: number;
  /** Whether that was all there is; if not, `from` and `to` reach the older ones. */
  readonly complete: boolean;
  /** The oldest bar looked at, epoch ms; null when there was none. */
  readonly from: number | null;
}

/** What one request reads at most; the newest come first. */
const MAX_SCANNED = 100_000;
/** Non-overlapping calls are a twentieth of the daily ones. */
const MAX_RECOMMENDATIONS = 10_000;

const GROUP: Readonly<Record<TrackRecordGroup, string>> = {
  asset: "symbol",
  class: "asset_type",
  engine: "engine || '/' || engine_version",
  promptVersion: "coalesce(prompt_version, '')",
};

/**
 * The newest resolutions of the table, or of one asset, up to the bound. One asset is read by its
 * key (ids follow the time they were made); everything by the time of the bar.
 */
const lookedAt = ({ symbol }: TrackRecordQuery): string => `looked AS MATERIALIZED (
  SELECT * FROM track_record
  WHERE outcome IS NOT NULL AND ${symbol === undefined ? "?1 IS NULL" : "symbol = ?1"}
    AND as_of BETWEEN ?2 AND ?3
  ORDER BY ${symbol === undefined ? "as_of" : "id"} DESC LIMIT ${MAX_SCANNED})`;

const matched = (query: TrackRecordQuery): string => `${lookedAt(query)}, matched AS (
  SELECT *, ${query.groupBy === undefined ? "''" : GROUP[query.groupBy]} AS grp, outcome = 'hit' AS o FROM looked
  WHERE (?4 IS NULL OR asset_type = ?4) AND (?5 IS NULL OR engine = ?5) AND (?6 IS NULL OR engine_version = ?6)
    AND (?7 IS NULL OR prompt_version = ?7) AND (?8 IS NULL OR resolution = ?8) AND (?9 IS NULL OR action = ?9))`;

const bindings = (query: TrackRecordQuery) => [
  query.symbol ?? null,
  query.from ?? Number.MIN_SAFE_INTEGER,
  query.to ?? Number.MAX_SAFE_INTEGER,
  query.assetType ?? null,
  query.engine ?? null,
  query.engineVersion ?? null,
  query.promptVersion ?? null,
  query.resolution ?? null,
  query.action ?? null,
];

type SumRow = BinSums & { readonly grp: string; readonly void: number };
type RecommendationRow = FollowedRecommendation & { readonly grp: string };

/**
 * Up to `limit` groups after one, by name, and what was looked at. Without `groupBy` everything is
 * one group, "".
 */
export async function trackRecordSums(
  db: Reader,
  query: TrackRecordQuery,
  after: string | null,
  limit: number,
): Promise<{ readonly groups: readonly GroupSums[]; readonly looked: Looked }> {
  const groups = `groups AS MATERIALIZED (
    SELECT DISTINCT grp FROM matched WHERE ?10 IS NULL OR grp > ?10 ORDER BY grp LIMIT ?11)`;
  const given = [...bindings(query), after, limit];
  const [looked, sums, recommendations] = await db.batch([
    db
      .prepare(`WITH ${lookedAt(query)} SELECT count(*) AS n, min(as_of) AS oldest FROM looked`)
      .bind(...given.slice(0, 3)),
    db
      .prepare(
        `WITH ${matched(query)}, ${groups}
         SELECT grp, action, min(${BINS - 1}, CAST(confidence * ${BINS} AS INTEGER)) AS bin,
                count(*) FILTER (WHERE outcome <> 'void') AS n, count(*) FILTER (WHERE outcome = 'void') AS void,
                sum(o) AS hits, sum(independent) AS independent,
                total(confidence) FILTER (WHERE outcome <> 'void') AS confidence,
                total((confidence - o) * (confidence - o)) FILTER (WHERE outcome <> 'void') AS brier,
                total((base_rate - o) * (base_rate - o)) FILTER (WHERE outcome <> 'void') AS baseBrier,
                total(pow((confidence - o) * (confidence - o) - (base_rate - o) * (base_rate - o), 2))
                  FILTER (WHERE outcome <> 'void') AS differenceSquared
         FROM matched WHERE grp IN (SELECT grp FROM groups)
         GROUP BY grp, action, bin ORDER BY grp, action, bin`,
      )
      .bind(...given),
    db
      .prepare(
        `WITH ${matched(query)}, ${groups},
         newest AS (SELECT * FROM matched WHERE independent = 1 AND grp IN (SELECT grp FROM groups)
                    ORDER BY as_of DESC LIMIT ${MAX_RECOMMENDATIONS})
         SELECT grp, json_array(symbol, resolution, engine, engine_version, prompt_version) AS series, action,
                horizon_return AS horizonReturn
         FROM newest ORDER BY series, as_of, id`,
      )
      .bind(...given),
  ]);
  const [seen] = (looked?.results ?? []) as { n: number; oldest: number | null }[];
  const recommendationsBy = Map.groupBy(
    (recommendations?.results ?? []) as RecommendationRow[],
    ({ grp }) => grp,
  );
  const sumsOf = Map.groupBy((sums?.results ?? []) as SumRow[], ({ grp }) => grp);
  return {
    groups: [...sumsOf].map(([group, rows]) => ({
      group,
      void: rows.reduce((sum, row) => sum + row.void, 0),
      sums: rows,
      recommendations: recommendationsBy.get(group) ?? [],
    })),
    looked: {
      rows: seen?.n ?? 0,
      complete: (seen?.n ?? 0) < MAX_SCANNED,
      from: seen?.oldest ?? null,
    },
  };
}
