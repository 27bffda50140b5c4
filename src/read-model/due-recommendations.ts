/** The oldest open calls of one horizon on one series. */
interface OldestRecommendation {
  readonly symbol: string;
  readonly resolution: string;
  readonly horizon: number;
  readonly asOf: number;
}

/** Series have few horizons: one for each resolution and engine. */
const MAX_HORIZONS = 20;

/**
 * Of these assets the ones with a recommendation whose horizon bar is there, in their order. No
 * clock is asked: the bar decides, so nothing is ordered in vain. Of each series only the oldest
 * open call of a horizon is looked at, since no later one can be ripe before it. Reads some fifty
 * rows per asset, from two indexes.
 */
export async function withDueRecommendations(
  db: D1Database,
  symbols: readonly string[],
): Promise<string[]> {
  if (symbols.length === 0) return [];
  const { results } = await db
    .prepare(
      `SELECT symbol, resolution, horizon, min(as_of) AS asOf FROM track_record
       WHERE symbol IN (SELECT value FROM json_each(?1)) AND outcome IS NULL
       GROUP BY symbol, resolution, horizon`,
    )
    .bind(JSON.stringify(symbols))
    .all<OldestRecommendation>();
  const byHorizon = [...Map.groupBy(results, ({ horizon }) => horizon)].slice(0, MAX_HORIZONS);
  if (byHorizon.length === 0) return [];
  const ripe = await db.batch<{ symbol: string }>(
    byHorizon.map(([horizon, recommendations]) =>
      db
        .prepare(
          `SELECT call.value ->> 'symbol' AS symbol FROM json_each(?1) AS call
           WHERE EXISTS (SELECT 1 FROM bars WHERE symbol = call.value ->> 'symbol'
             AND resolution = call.value ->> 'resolution' AND timestamp > call.value ->> 'asOf'
             ORDER BY timestamp LIMIT 1 OFFSET ?2)`,
        )
        .bind(JSON.stringify(recommendations), horizon - 1),
    ),
  );
  const found = new Set(ripe.flatMap((page) => page.results.map(({ symbol }) => symbol)));
  return symbols.filter((symbol) => found.has(symbol));
}
