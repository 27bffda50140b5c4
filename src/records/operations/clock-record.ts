import type { Reader } from "../../reader.ts";
/** The market's clock as last set by a tick; null before the first. */
export async function readClock(db: Reader): Promise<{ marketNow: number; wallAt: number } | null> {
  const row = await db
    .prepare("SELECT market_now AS marketNow, wall_at AS wallAt FROM clock WHERE id = 1")
    .first<{ marketNow: number; wallAt: number }>();
  return row;
}

/** Sets the clock, never backwards, and returns what is on record now. */
export async function writeClock(
  db: D1Database,
  marketNow: number,
  wallAt: number,
): Promise<{ marketNow: number; wallAt: number } | null> {
  return db
    .prepare(
      `INSERT INTO clock (id, market_now, wall_at) VALUES (1, ?1, ?2)
       ON CONFLICT (id) DO UPDATE SET market_now = max(market_now, excluded.market_now), wall_at = max(wall_at, excluded.wall_at)
       RETURNING market_now AS marketNow, wall_at AS wallAt`,
    )
    .bind(marketNow, wallAt)
    .first();
}

/** Sets the clock to what it should say, back as well. */
export const resetClock = (
  db: D1Database,
  marketNow: number,
  wallAt: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO clock (id, market_now, wall_at) VALUES (1, ?1, ?2)
       ON CONFLICT (id) DO UPDATE SET market_now = excluded.market_now, wall_at = excluded.wall_at`,
    )
    .bind(marketNow, wallAt);

/**
 * Brings back schedules that a clock from ahead has moved past the market's now: they count as done
 * up to now, and the next tick works out what comes next. Those of a pause stay paused. At most
 * `limit` of them.
 */
export const bringBackSchedules = (
  db: D1Database,
  marketNow: number,
  limit: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE schedules SET done_until = ?1, next_due = ?1
       WHERE id IN (SELECT id FROM schedules WHERE done_until > ?1 ORDER BY id LIMIT ?2)`,
    )
    .bind(marketNow, limit);

/**
 * What time it is on the market: the replay's clock in a demo that has ticked, else the wall's
 * (`now`, epoch ms).
 */
export const marketTime = async (
  db: Reader,
  { DEMO }: { readonly DEMO: boolean },
  now: number,
): Promise<number> => (DEMO ? ((await readClock(db))?.marketNow ?? now) : now);
