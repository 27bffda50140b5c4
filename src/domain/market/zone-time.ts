import { MILLISECONDS_PER_DAY } from "./calendar-day.ts";

/** The zones in which the markets keep their clocks (IANA names). */
export type MarketZone = "UTC" | "America/New_York" | "Europe/London" | "Europe/Madrid";

const MILLISECONDS_PER_MINUTE = 60_000;

/** A zone is asked this often whether its offset has moved. Summer time lasts months, so two weeks cannot hide a pair. */
const PROBE_STEP = 14 * MILLISECONDS_PER_DAY;

const offsetFormat = (timeZone: MarketZone): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });

// Building a formatter costs as much as thousands of uses of it.
const OFFSET_FORMATS: Readonly<Record<MarketZone, Intl.DateTimeFormat>> = {
  UTC: offsetFormat("UTC"),
  "America/New_York": offsetFormat("America/New_York"),
  "Europe/London": offsetFormat("Europe/London"),
  "Europe/Madrid": offsetFormat("Europe/Madrid"),
};

/** How far the zone's wall clock is ahead of UTC at an instant (epoch ms), in milliseconds; negative in New York. */
export const offsetAt = (zone: MarketZone, instant: number): number => {
  if (zone === "UTC") return 0;
  const text = OFFSET_FORMATS[zone].format(instant);
  // Before time zones were agreed on, a town's own time was off by seconds too.
  const match = /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text);
  if (match === null) throw new Error(`The platform wrote the offset of ${zone} as "${text}"`);
  const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0) + Number(match[4] ?? 0) / 60;
  return (match[1] === "-" ? -minutes : minutes) * MILLISECONDS_PER_MINUTE;
};

interface OffsetSpan {
  /** The wall clock reading from which this offset holds, as if it were UTC (epoch ms). */
  readonly localFrom: number;
  readonly offset: number;
}

/** The first minute in (earlier, later] that already has the later offset. */
const changeBetween = (zone: MarketZone, earlier: number, later: number, laterOffset: number): number => {
  let before = earlier;
  let since = later;
  while (since - before > MILLISECONDS_PER_MINUTE) {
    const half = Math.floor((since - before) / 2 / MILLISECONDS_PER_MINUTE) * MILLISECONDS_PER_MINUTE;
    if (offsetAt(zone, before + half) === laterOffset) since = before + half;
    else before += half;
  }
  return since;
};

const offsetSpans = (zone: MarketZone, from: number, to: number): readonly OffsetSpan[] => {
  let offset = offsetAt(zone, from);
  const spans: OffsetSpan[] = [{ localFrom: Number.NEGATIVE_INFINITY, offset }];
  if (zone === "UTC") return spans;
  for (let probed = from; probed < to; probed += PROBE_STEP) {
    const later = probed + PROBE_STEP;
    const laterOffset = offsetAt(zone, later);
    if (laterOffset === offset) continue;
    const change = changeBetween(zone, probed, later, laterOffset);
    spans.push({ localFrom: change + laterOffset, offset: laterOffset });
    offset = laterOffset;
  }
  return spans;
};

/**
 * A function from wall clock readings in `zone` to instants (epoch ms), good between two instants on whole minutes.
 *
 * A reading is written as the epoch ms it would have if the zone were UTC. One that autumn repeats is its second occurrence;
 * one that spring leaves out is read as if the clocks had not yet moved.
 * Finding the few offset changes first keeps twenty years of sessions at some hundreds of Intl calls.
 */
export const wallClock = (zone: MarketZone, from: number, to: number): ((reading: number) => number) => {
  const spans = offsetSpans(zone, from, to);
  return (reading) => {
    const span = spans.findLast((candidate) => candidate.localFrom <= reading);
    return reading - (span?.offset ?? 0);
  };
};
