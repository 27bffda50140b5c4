import type { Bar } from "../domain/asset/bar.ts";
import type { CorporateAction } from "../domain/asset/corporate-action.ts";
import { type AdjustmentStep, adjusted } from "../domain/asset/total-return.ts";
import type { AssetType } from "../domain/market/asset-type.ts";
import type { CalendarId } from "../domain/market/calendar-id.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { calendarOf } from "../domain/market/usual-calendar.ts";
import { actionsAround } from "../domain/quality/series-quality.ts";
import type { Reader } from "../reader.ts";
import { actionsIn, readSplitSteps } from "./corporate-actions.ts";
import { projectedVersions } from "./portfolio-closes.ts";
import { type BarsQuery, SeriesMoved, versionedBars } from "./versioned-bars.ts";

/** A series that changes while it is read is read again so often. */
const TRIES = 3;

/** The scale of the newest bar that was read, or of the newest there is. */
type Scale = "newest" | "today";

/** Prices of an asset, oldest first, and the version of its stream that they are true of. */
interface Versioned<P> {
  readonly symbol: string;
  readonly version: number;
  readonly points: readonly P[];
}

/** The same on the scale of their newest, and how many splits that took. */
export type SplitAdjusted<P> = Versioned<P> & { readonly splits: number };

type Priced = Parameters<typeof adjusted>[0][number];

/**
 * Prices of several assets, each on one scale: a split on record that the stored bars still show is
 * taken out. On the scale of the newest bar read, what came after it has no part in it. `read`
 * reads some of the assets' prices as stored; the assets with a split are read again when they were
 * written between their bars and their splits.
 */
export async function splitAdjusted<P extends Priced>(
  db: Reader,
  symbols: readonly string[],
  resolution: Resolution,
  read: (symbols: readonly string[]) => Promise<readonly Versioned<P>[]>,
  scale: Scale = "newest",
): Promise<SplitAdjusted<P>[]> {
  const found = new Map<string, SplitAdjusted<P>>();
  let open = symbols;
  for (let attempt = 0; attempt < TRIES && open.length > 0; attempt += 1) {
    const stored = await read(open);
    const calendars = await calendarsOfSplit(db, open);
    for (const one of stored) {
      const calendar = calendars.get(one.symbol);
      found.set(
        one.symbol,
        calendar === undefined
          ? { ...one, splits: 0 }
          : await onOneScale(db, one, { resolution, calendar, scale }),
      );
    }
    // The splits were read after the bars: who has none had none when its bars were read.
    const split = open.filter((symbol) => calendars.has(symbol));
    const now = split.length === 0 ? [] : await projectedVersions(db, split);
    open = split.filter((symbol, n) => found.get(symbol)?.version !== now[n]);
  }
  if (open.length > 0)
    throw new SeriesMoved(`${open.join(", ")} changed while read, ${TRIES} times`);
  return symbols.flatMap((symbol) => found.get(symbol) ?? []);
}

/**
 * Bars of one asset as stored, the same on one scale, and the dividends and splits of the newest
 * that are judged.
 */
export interface BarsAndActions {
  readonly version: number;
  readonly stored: readonly Bar[];
  readonly bars: readonly Bar[];
  readonly splits: number;
  readonly actions: readonly CorporateAction[];
}

/**
 * The newest bars of a range with all that must be known of them, as of one version of the asset's
 * stream.
 */
export async function barsAndActions(
  db: Reader,
  symbol: string,
  query: BarsQuery,
): Promise<BarsAndActions> {
  let stored: readonly Bar[] = [];
  const [found] = await splitAdjusted(db, [symbol], query.resolution, async () => {
    const { version, bars } = await versionedBars(db, symbol, query);
    stored = bars;
    return [{ symbol, version, points: bars }];
  });
  const around = actionsAround(stored);
  const actions = around === null ? [] : await actionsIn(db, symbol, around.from, around.to);
  return {
    version: found?.version ?? 0,
    stored,
    bars: found?.points ?? [],
    splits: found?.splits ?? 0,
    actions,
  };
}

/** The newest bars of a range as they would be told today: splits after them count too. */
export async function barsOfToday(
  db: Reader,
  symbol: string,
  query: BarsQuery,
): Promise<{ readonly version: number; readonly bars: readonly Bar[] }> {
  const read = async () => {
    const { version, bars } = await versionedBars(db, symbol, query);
    return [{ symbol, version, points: bars }];
  };
  const [found] = await splitAdjusted<Bar>(db, [symbol], query.resolution, read, "today");
  return { version: found?.version ?? 0, bars: found?.points ?? [] };
}

async function onOneScale<P extends Priced>(
  db: Reader,
  { symbol, version, points }: Versioned<P>,
  { resolution, calendar, scale }: { resolution: Resolution; calendar: CalendarId; scale: Scale },
): Promise<SplitAdjusted<P>> {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return { symbol, version, points, splits: 0 };
  const all = await readSplitSteps(db, {
    symbol,
    resolution,
    calendar,
    from: Number.MIN_SAFE_INTEGER,
  });
  const steps = all.filter(
    ({ at }) => first.timestamp < at && (scale === "today" || at <= last.timestamp),
  );
  return { symbol, version, points: adjusted(points, steps), splits: splitsIn(steps) };
}

/** How many splits steps stand for. */
const splitsIn = (steps: readonly AdjustmentStep[]): number =>
  steps.reduce((sum, { actions }) => sum + actions, 0);

/**
 * Of these assets those that a split is on record of, with the calendar that tells its first bar.
 */
async function calendarsOfSplit(
  db: Reader,
  symbols: readonly string[],
): Promise<ReadonlyMap<string, CalendarId>> {
  const { results } = await db
    .prepare(
      `SELECT symbol, type, calendar FROM assets WHERE symbol IN (SELECT value FROM json_each(?1))
         AND EXISTS (SELECT 1 FROM corporate_actions c WHERE c.symbol = assets.symbol AND c.type = 'split')`,
    )
    .bind(JSON.stringify(symbols))
    .all<{ symbol: string; type: AssetType; calendar: string }>();
  return new Map(results.map((asset) => [asset.symbol, calendarOf(asset)]));
}
