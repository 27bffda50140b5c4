import { MILLISECONDS_PER_DAY } from "./calendar-day.ts";

/** The zones in which the markets keep their clocks (IANA names). */
export type MarketZone = "UTC" | "America/New_York" | "Europe/London" | "Europe/Madrid";

const MILLISECONDS_PER_MINUTE = 60_000;

/**
 * Step between two probes of a zone's offset. Summer time lasts months, so two weeks cannot hide a
 * pair of changes.
 */
const PROBE_STEP = 14 * MILLISECONDS_PER_DAY;

const offsetFormat = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });

// Building a formatter costs as much as thousands of uses of it.
const OFFSET_FORMATS: Readonly<Record<MarketZone, Intl.DateTimeFormat>> = {
  UTC: offsetFormat("UTC"),
  "America/New_York": offsetFormat("America/New_York"),
  "Europe/London": offsetFormat("Europe/London"),
  "Europe/Madrid": offsetFormat("Europe/Madrid"),
};

const isMarketZone = (zone: string): zone is MarketZone => Object.hasOwn(OFFSET_FORMATS, zone);

/**
 * Offset of a zone's wall clock from UTC at an instant (epoch ms), in milliseconds; negative in New
 * York.
 */
export const offsetAt = (zone: MarketZone, instant: number): number =>
  offsetIn(OFFSET_FORMATS[zone], zone, instant);

const offsetIn = (format: Intl.DateTimeFormat, zone: string, instant: number): number => {
  if (zone === "UTC") return 0;
  const text = format.format(instant);
  // Before time zones were agreed on, a town's own time was off by seconds too.
  const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (match === null) throw new Error(`The platform wrote the offset of ${zone} as "${text}"`);
  const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0) + Number(match[4] ?? 0) / 60;
  return (match[1] === "-" ? -minutes : minutes) * MILLISECONDS_PER_MINUTE;
};

interface OffsetSpan {
  /** The instant from which this offset holds (epoch ms). */
  readonly from: number;
  /** The wall clock reading from which this offset holds, as if it were UTC (epoch ms). */
  readonly localFrom: number;
  readonly offset: number;
}

/** The first minute in (earlier, later] that already has the later offset. */
const changeBetween = (
  offsetOf: (instant: number) => number,
  earlier: number,
  later: number,
  laterOffset: number,
): number => {
  let before = earlier;
  let since = later;
  while (since - before > MILLISECONDS_PER_MINUTE) {
    const half =
      Math.floor((since - before) / 2 / MILLISECONDS_PER_MINUTE) * MILLISECONDS_PER_MINUTE;
    if (offsetOf(before + half) === laterOffset) since = before + half;
    else before += half;
  }
  return since;
};

const offsetSpans = (zone: string, from: number, to: number): readonly OffsetSpan[] => {
  const format = isMarketZone(zone) ? OFFSET_FORMATS[zone] : offsetFormat(zone);
  const offsetOf = (instant: number): number => offsetIn(format, zone, instant);
  let offset = offsetOf(from);
  const spans: OffsetSpan[] = [
    { from: Number.NEGATIVE_INFINITY, localFrom: Number.NEGATIVE_INFINITY, offset },
  ];
  if (zone === "UTC") return spans;
  for (let probed = from; probed < to; probed += PROBE_STEP) {
    const later = probed + PROBE_STEP;
    const laterOffset = offsetOf(later);
    if (laterOffset === offset) continue;
    const change = changeBetween(offsetOf, probed, later, laterOffset);
    spans.push({ from: change, localFrom: change + laterOffset, offset: laterOffset });
    offset = laterOffset;
  }
  return spans;
};

/**
 * A function from wall clock readings in `zone` to instants (epoch ms), valid between two instants
 * on whole minutes.
 *
 * A reading is written as the epoch ms it would have if the zone were UTC. One that autumn repeats
 * is its second occurrence; one that spring leaves out is read as if the clocks had not yet moved.
 * Finding the few offset changes first keeps twenty years of sessions at some hundreds of Intl
 * calls.
 */
export const wallClock = (zone: string, from: number, to: number): ((reading: number) => number) =>
  zoneClock(zone, from, to).instantOf;

/**
 * A zone's clock between two instants on whole minutes, in both directions. `zone` is an IANA name
 * that the platform knows.
 */
export interface ZoneClock {
  /** The instant of a wall clock reading: see `wallClock`. */
  readonly instantOf: (reading: number) => number;
  /** The wall clock's reading at an instant, as the epoch ms it would have if the zone were UTC. */
  readonly readingAt: (instant: number) => number;
}

export const zoneClock = (zone: string, from: number, to: number): ZoneClock => {
  const spans = offsetSpans(zone, from, to);
  return {
    instantOf: (reading) =>
      reading - (spans.findLast((span) => span.localFrom <= reading)?.offset ?? 0),
    readingAt: (instant) => instant + (spans.findLast((span) => span.from <= instant)?.offset ?? 0),
  };
};

/**
 * True if the platform has a zone by this name. A bare offset is no zone: it would silently ignore
 * summer time.
 */
export const isZone = (name: string): boolean => {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
};
