import type { Reader } from "../reader.ts";
/** The market's clock as last set by a tick; null before the first. */
export async function readClock(db: Reader): Promise<{ marketNow: number; wallAt: number } | null> {
  const row = await db
    .prepare("SELECT market_now AS marketNow, wall_at AS wallAt FROM clock WHERE id = 1")
    .first<{ marketNow: number; wallAt: number }>();
  return row;
}

/** Sets the clock, never backwards. */
export async function writeClock(db: D1Database, marketNow: number, wallAt: number): Promise<void> {
  await db
    .prepare(
      `INSERT INTO clock (id, market_now, wall_at) VALUES (1, ?1, ?2)
       ON CONFLICT (id) DO UPDATE SET market_now = max(market_now, excluded.market_now), wall_at = max(wall_at, excluded.wall_at)`,
    )
    .bind(marketNow, wallAt)
    .run();
}

/** What time it is on the market: the replay's clock in a demo that has ticked, else the wall's (`now`, epoch ms). */
export const marketTime = async (
  db: Reader,
  { DEMO }: { readonly DEMO: boolean },
  now: number,
): Promise<number> => (DEMO ? ((await readClock(db))?.marketNow ?? now) : now);
