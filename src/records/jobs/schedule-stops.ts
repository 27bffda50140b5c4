/** Why the system paused a schedule. */
export const ARCHIVED_ASSET = "the asset was archived";
export const ARCHIVED_PORTFOLIO = "the portfolio was deleted";

/**
 * Lets the schedules of one asset follow it, as it stands by now: archived stops them, registered
 * again lets those go on that were stopped for that reason, from the market's now on. What fell due
 * meanwhile does not run.
 */
export const followAsset = (db: D1Database, symbol: string, now: number): D1PreparedStatement[] => [
  db
    .prepare(
      `UPDATE schedules SET paused_at = ?2, paused_why = ?3, updated_at = max(?2, updated_at + 1)
       WHERE target ->> 'symbol' = ?1 AND paused_at IS NULL
         AND EXISTS (SELECT 1 FROM assets WHERE symbol = ?1 AND archived_at IS NOT NULL)`,
    )
    .bind(symbol, now, ARCHIVED_ASSET),
  db
    .prepare(
      `UPDATE schedules SET paused_at = NULL, paused_why = NULL, updated_at = max(?2, updated_at + 1),
         done_until = max(done_until, coalesce((SELECT max(market_now) FROM clock), done_until)),
         next_due = max(done_until, coalesce((SELECT max(market_now) FROM clock), done_until))
       WHERE target ->> 'symbol' = ?1 AND paused_why = ?3
         AND EXISTS (SELECT 1 FROM assets WHERE symbol = ?1 AND archived_at IS NULL)`,
    )
    .bind(symbol, now, ARCHIVED_ASSET),
];

/** Stops the schedules of a portfolio that is deleted, as it stands by now. */
export const stopWithPortfolio = (
  db: D1Database,
  portfolioId: string,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE schedules SET paused_at = ?2, paused_why = ?3, updated_at = max(?2, updated_at + 1)
       WHERE target ->> 'portfolioId' = ?1 AND paused_at IS NULL
         AND EXISTS (SELECT 1 FROM portfolios WHERE id = ?1 AND archived_at IS NOT NULL)`,
    )
    .bind(portfolioId, now, ARCHIVED_PORTFOLIO);
