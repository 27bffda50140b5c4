import type { Bar } from "../asset/bar.ts";
import { type CorporateAction, firstBarWithout } from "../asset/corporate-action.ts";
import { isoDay } from "../iso.ts";
import { barKey } from "../market/bar-key.ts";
import { lastClosedSession, sessionsBetween } from "../market/calendar.ts";
import { MILLISECONDS_PER_DAY } from "../market/calendar-day.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import { lastFinal } from "../market/last-final.ts";
import type { Resolution } from "../market/resolution.ts";
import {
  isIntraday,
  sessionFinder,
  sessionsAround,
  slotOf,
  slotsOf,
} from "../market/session-slots.ts";
import { coverageOf } from "./expected-keys.ts";
import {
  type ExplainedJump,
  impossibleOf,
  jumpsOf,
  type Outlier,
  unchangedAtEnd,
} from "./suspects.ts";

/** The bars that quality is computed from: about a year of days. */
export const QUALITY_WINDOW = 250;

/** Of each kind of finding so many are named; the counts are of all. */
const MAX_LISTED = 20;

/** So many bars late, a series says nothing about now. */
export const HOPELESSLY_LATE = 10;

/** Closes that stay the same for so long are a stuck feed more likely than a quiet market. */
const FROZEN = 5;

/**
 * A vendor publishes a final bar some time after its period, and processing a close takes some
 * more.
 */
const GRACE = { intraday: 15 * 60_000, longer: 3_600_000 };

/** Quality of a series as of its last bars. Instants are epoch ms. */
export interface SeriesQuality {
  /** Number of bars read, at most QUALITY_WINDOW of the newest. */
  readonly bars: number;
  readonly from: number | null;
  readonly to: number | null;
  /**
   * Bars between them that the calendar expects and that are missing; null where the calendar is
   * unknown.
   */
  readonly missing: number | null;
  /** The first of them. */
  readonly missingAt: readonly number[];
  /** Bars of days and hours at which the market was closed. */
  readonly offCalendar: number | null;
  readonly impossible: number;
  readonly impossibleAt: readonly number[];
  readonly outliers: number;
  readonly outliersAt: readonly Outlier[];
  /** Jumps that a known dividend or split explains; they are no outliers. */
  readonly explained: number;
  readonly explainedAt: readonly ExplainedJump[];
  /** Number of the last bars with the very same close. */
  readonly unchanged: number;
  /** Number of bars with only a close. */
  readonly closeOnly: number;
  readonly withoutVolume: number;
}

/** A series' quality, its freshness at an instant, and its agreement with another source. */
export interface DataQuality extends SeriesQuality {
  /** 0 … 1, the product of the four below. */
  readonly health: number;
  /** Existing bars out of expected bars; 1 where the calendar is unknown. */
  readonly completeness: number;
  /** Bars that raise no suspicion. */
  readonly soundness: number;
  /**
   * 1 for a series that is up to date, or that is history and not fed any more; 0 from ten bars
   * late on.
   */
  readonly freshness: number;
  /** With the source it was last checked against (`agreementOf`); 1 where it never was. */
  readonly agreement: number;
  /** Expected final bars after the last one; null for history, or when the calendar is unknown. */
  readonly barsLate: number | null;
  /** Rows of their period for a closed market, which the source sent and which were left out. */
  readonly leftOut: number;
  /** The newest of them. */
  readonly leftOutAt: readonly number[];
}

/**
 * The quality of a series' last bars (oldest first; more than QUALITY_WINDOW are cut), given the
 * corporate actions of their time. Time has no part in it.
 */
export const seriesQuality = (
  series: readonly Bar[],
  resolution: Resolution,
  calendar: CalendarId,
  actions: readonly CorporateAction[] = [],
): SeriesQuality => {
  const bars = series.slice(-QUALITY_WINDOW);
  const coverage = coverageOf(
    bars.map(({ timestamp }) => timestamp),
    resolution,
    calendar,
  );
  const impossible = impossibleOf(bars);
  const { outliers, explained } = jumpsOf(bars, byFirstBar(actions, bars, resolution, calendar));
  return {
    bars: bars.length,
    from: bars[0]?.timestamp ?? null,
    to: bars.at(-1)?.timestamp ?? null,
    missing: coverage?.missing.length ?? null,
    missingAt: coverage?.missing.slice(0, MAX_LISTED) ?? [],
    offCalendar: coverage?.offCalendar.length ?? null,
    impossible: impossible.length,
    impossibleAt: impossible.slice(0, MAX_LISTED),
    outliers: outliers.length,
    outliersAt: outliers.slice(0, MAX_LISTED),
    explained: explained.length,
    explainedAt: explained.slice(0, MAX_LISTED),
    unchanged: unchangedAtEnd(bars),
    closeOnly: bars.filter(({ open }) => open === null).length,
    withoutVolume: bars.filter(({ volume }) => volume === null || volume === 0).length,
  };
};

/** Bars have the key of their month's first day at most this much before the days in them. */
const PERIOD = 31 * MILLISECONDS_PER_DAY;

/**
 * The ex-dates (epoch ms, both included) that can matter to bars, oldest first; null without bars.
 */
export function actionsAround(
  bars: readonly { readonly timestamp: number }[],
): { readonly from: number; readonly to: number } | null {
  const window = bars.slice(-QUALITY_WINDOW);
  const [first, last] = [window[0], window.at(-1)];
  return first === undefined || last === undefined
    ? null
    : { from: first.timestamp, to: last.timestamp + PERIOD };
}

/** Actions by the timestamp of the first existing bar without their benefit. */
function byFirstBar(
  actions: readonly CorporateAction[],
  bars: readonly Bar[],
  resolution: Resolution,
  calendar: CalendarId,
): ReadonlyMap<number, readonly CorporateAction[]> {
  const found = new Map<number, CorporateAction[]>();
  for (const action of actions) {
    const key = firstBarWithout(resolution, calendar, action);
    const first = bars.find(({ timestamp }) => timestamp >= key);
    if (first === undefined) continue;
    found.set(first.timestamp, [...(found.get(first.timestamp) ?? []), action]);
  }
  return found;
}

/**
 * Final bars that a series should have after its last one, at an instant (epoch ms); null where the
 * calendar is unknown. A bar is expected a quarter of an hour (a day's or longer: an hour) after
 * its period is over. Counts no further than HOPELESSLY_LATE.
 */
export const barsLate = (
  last: number,
  resolution: Resolution,
  calendar: CalendarId,
  at: number,
): number | null => {
  const cap = HOPELESSLY_LATE;
  const now = at - (isIntraday(resolution) ? GRACE.intraday : GRACE.longer);
  if (resolution === "1w" || resolution === "1mo") {
    let late = 0;
    // The newest period that is over, and back from it.
    for (
      let key = barKey(resolution, calendar, lastFinal(resolution, calendar, now));
      key > last && late < cap;
    ) {
      late += 1;
      key = barKey(resolution, calendar, key - 1);
    }
    return late;
  }
  const closed = lastClosedSession(calendar, now);
  if (closed === null) return null;
  if (resolution === "1d") {
    if (Date.parse(closed.date) <= last) return 0;
    // No market rests for so long that ten sessions would not be in it.
    if (Date.parse(closed.date) - last > 60 * MILLISECONDS_PER_DAY) return cap;
    const answer = sessionsBetween(calendar, isoDay(last), closed.date);
    if (answer.kind === "refused") return null;
    return Math.min(cap, answer.sessions.filter(({ date }) => Date.parse(date) > last).length);
  }
  return intradayLate(last, resolution, calendar, now, cap);
};

function intradayLate(
  last: number,
  resolution: Resolution,
  calendar: CalendarId,
  now: number,
  cap: number,
): number | null {
  if (!isIntraday(resolution)) return null;
  // The last week alone is enough to see that ten bars are late; an older series is late by more.
  const sessions = sessionsAround(calendar, Math.max(last, now - 14 * MILLISECONDS_PER_DAY), now);
  const home = sessionFinder(sessions)(last);
  const newest = home === null ? last : slotOf(home, resolution, last);
  const due = sessions.flatMap((session) =>
    slotsOf(session, resolution).filter(
      // A bar is final when the next one has begun, or the session has closed.
      (slot, index, all) => slot > newest && (all[index + 1] ?? session.close) <= now,
    ),
  );
  return Math.min(cap, due.length);
}

/**
 * The quality value of every answer: health = completeness × soundness × freshness × agreement.
 * `live` is true while the series is being fed; history is as fresh as it will ever be. `leftOut`
 * are the instants of rows that the source sent for a closed market: such a source is sound for the
 * other rows only.
 */
export const dataQuality = (
  series: SeriesQuality,
  {
    resolution,
    calendar,
    live,
    now,
    agreement = 1,
    leftOut = [],
  }: {
    readonly resolution: Resolution;
    readonly calendar: CalendarId;
    readonly live: boolean;
    readonly now: number;
    readonly agreement?: number;
    readonly leftOut?: readonly number[];
  },
): DataQuality => {
  const { bars, missing, impossible, outliers, unchanged, to } = series;
  const late = !live || to === null ? null : barsLate(to, resolution, calendar, now);
  // Bars of a closed market were stored by releases that did not leave them out, or imported.
  const closed = isIntraday(resolution) ? (series.offCalendar ?? 0) : 0;
  const suspicious = Math.min(
    bars,
    impossible + outliers + closed + (unchanged >= FROZEN ? unchanged : 0),
  );
  const completeness = bars === 0 ? 0 : bars / (bars + (missing ?? 0));
  const soundness = bars === 0 ? 0 : (bars - suspicious) / (bars + leftOut.length);
  const freshness = late === null ? 1 : 1 - late / HOPELESSLY_LATE;
  return {
    ...series,
    health: completeness * soundness * freshness * agreement,
    completeness,
    soundness,
    freshness,
    agreement,
    barsLate: late,
    leftOut: leftOut.length,
    leftOutAt: leftOut.slice(-MAX_LISTED),
  };
};
