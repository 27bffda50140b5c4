import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { isIntraday } from "../market/session-slots.ts";
import type { Bar } from "./bar.ts";
import { type CorporateAction, firstBarWithout, type Split } from "./corporate-action.ts";

/** A series on the scale of its newest bar, and the splits for which it had to be brought there. */
export interface OneScale {
  readonly bars: readonly Bar[];
  readonly actions: readonly CorporateAction[];
  /** Splits that the bars still showed, oldest first. */
  readonly standing: readonly Split[];
}

/** A split larger than this is told from the day's own move by distance alone. */
const LARGE = Math.log(1.25);
/** A smaller one needs a move of so many usual ones. */
const UNUSUAL = 4;
/** Returns on either side that define the usual move, and the minimum number for it. */
const USUAL = 30;
const MIN_USUAL = 3;
/** A normal law's standard deviation is this many median absolute deviations. */
const MAD_TO_SD = 1.4826;

/**
 * A vendor's bars (oldest first) and dividends on one scale, that of the newest bar. Vendors adjust
 * their history for a split, some of them some sessions late; until then the bars still show a
 * known split, whose closes move by it. Everything before such a split is adjusted here as the
 * vendor will adjust it: prices and dividends by the ratio, volumes against it.
 */
export function onOneScale(
  given: { readonly bars: readonly Bar[]; readonly actions: readonly CorporateAction[] },
  known: readonly CorporateAction[],
  { resolution, calendar }: { readonly resolution: Resolution; readonly calendar: CalendarId },
): OneScale {
  let { bars, actions } = given;
  // Dividends are those of days: vendors adjust them with their days, also where hours stay as they
  // were.
  const reportsDividends = !isIntraday(resolution);
  const standing: Split[] = [];
  for (const split of splitsOf([...known, ...actions])) {
    const key = firstBarWithout(resolution, calendar, split);
    const at = bars.findIndex(({ timestamp }) => timestamp >= key);
    const ratio = split.denominator / split.numerator;
    if (at < 1 || !stands(bars, at, Math.log(ratio))) continue;
    const isInside = key < split.exDate && (bars[at]?.timestamp ?? 0) === key;
    bars = bars.map((bar, index) =>
      index < at ? scaled(bar, ratio) : index === at && isInside ? withoutRange(bar) : bar,
    );
    if (reportsDividends)
      actions = actions.map((action) =>
        action.type === "dividend" && action.exDate < split.exDate
          ? { ...action, amount: action.amount * ratio }
          : action,
      );
    standing.unshift(split);
  }
  return { bars, actions, standing };
}

/** Splits by their days, the newest first; of two of a day the later in the list. */
const splitsOf = (actions: readonly CorporateAction[]): Split[] =>
  [
    ...new Map(
      actions.flatMap((one) => (one.type === "split" ? [[one.exDate, one] as const] : [])),
    ).values(),
  ].toSorted((a, b) => b.exDate - a.exDate);

/** True if the close moves at a bar as a split of that size (a logarithm) makes it move. */
function stands(bars: readonly Bar[], at: number, size: number): boolean {
  const moves = movesAround(bars, at);
  const move = moves.get(at) ?? Number.NaN;
  if (!(Math.abs(move - size) < Math.abs(move))) return false;
  if (Math.abs(size) >= LARGE) return true;
  moves.delete(at);
  const sizes = [...moves.values()].map(Math.abs).toSorted((a, b) => a - b);
  const usual = sizes[Math.floor(sizes.length / 2)];
  return (
    usual !== undefined && sizes.length >= MIN_USUAL && Math.abs(move) > UNUSUAL * MAD_TO_SD * usual
  );
}

/** Logarithms of the closes' moves into the bars around one, by the bar's place. */
function movesAround(bars: readonly Bar[], at: number): Map<number, number> {
  const moves = new Map<number, number>();
  for (
    let place = Math.max(1, at - USUAL);
    place <= Math.min(bars.length - 1, at + USUAL);
    place += 1
  ) {
    const [before, after] = [bars[place - 1]?.close ?? 0, bars[place]?.close ?? 0];
    if (before > 0 && after > 0) moves.set(place, Math.log(after / before));
  }
  return moves;
}

/**
 * A bar as it would be had its shares been split like those of today: prices times a factor, volume
 * by it.
 */
export const scaled = (bar: Bar, factor: number): Bar => ({
  timestamp: bar.timestamp,
  open: bar.open === null ? null : bar.open * factor,
  high: bar.high === null ? null : bar.high * factor,
  low: bar.low === null ? null : bar.low * factor,
  close: bar.close * factor,
  volume: bar.volume === null ? null : bar.volume / factor,
});

/**
 * A week or month in the middle of which shares were split has prices of both scales; its close is
 * of the new one.
 */
const withoutRange = (bar: Bar): Bar => ({ ...bar, open: null, high: null, low: null });
