import type { Random } from "../platform/random.ts";

const DAY = 86_400_000;
const FIRST = Date.UTC(2024, 0, 1);

/** A bar as it is sent and as it is expected to be kept. */
export interface PlainBar {
  readonly timestamp: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** One file of bars: the text, and its meaning if it is accepted. */
export interface ImportFile {
  readonly body: string;
  readonly type: string;
  /** Null when the file has a row that must be refused. */
  readonly bars: readonly PlainBar[] | null;
}

/** A dividend on some of the days of a file; a later file may know another amount. */
const actionsOf = (bars: readonly PlainBar[], revision: number) =>
  bars
    .filter(({ timestamp }) => (timestamp / DAY) % 9 === 4)
    .map(({ timestamp }) => ({
      type: "dividend",
      exDate: dateOf(timestamp),
      amount: 0.25 + (revision > 0 ? revision / 100 : 0),
    }));

/** Weekdays only, so that every calendar takes them; 2024 has few enough holidays to name them. */
const HOLIDAYS = new Set(["2024-01-01", "2024-01-15", "2024-02-19", "2024-03-29"]);

const isSession = (timestamp: number): boolean => {
  const day = new Date(timestamp).getUTCDay();
  return day !== 0 && day !== 6 && !HOLIDAYS.has(new Date(timestamp).toISOString().slice(0, 10));
};

/** Enough bars for a commit of several events. */
const LONG = 620;

/**
 * A run of days somewhere in the first months of 2024; `revision` changes some of the prices. An
 * asset that trades every day may also get a long history that ends there.
 */
export function makeFile(random: Random, everyDay: boolean): ImportFile {
  const long = everyDay && random.chance(0.08);
  const from = long ? 60 - LONG : random.between(0, 60);
  const count = long ? LONG : random.pick([1, 1, 2, 5, 12, 30, 45]);
  const revision = random.pick([0, 0, 0, 1, 2]);
  const bars: PlainBar[] = [];
  for (let day = from; day < from + count; day++) {
    const timestamp = FIRST + day * DAY;
    if (everyDay || isSession(timestamp)) bars.push(barOf(timestamp, day, revision));
  }
  if (bars.length === 0) bars.push(barOf(FIRST + 8 * DAY, 8, revision));
  const spoilt = random.chance(0.12);
  const rows = bars.map((bar, index) => ({
    ...bar,
    high: spoilt && index === 0 ? bar.low - 5 : bar.high,
  }));
  const csv = random.chance(0.5);
  // Coins pay none, and a file with one would be refused.
  const body = csv ? csvOf(rows) : jsonOf(rows, everyDay ? [] : actionsOf(bars, revision));
  return { body, type: csv ? "text/csv" : "application/json", bars: spoilt ? null : bars };
}

/** Days in a row from one on, in their first version. */
export function fileOf(from: number, count: number, everyDay: boolean): ImportFile {
  const days = Array.from({ length: count }, (_, index) => from + index);
  const kept = days.filter((day) => everyDay || isSession(FIRST + day * DAY));
  const bars = kept.map((day) => barOf(FIRST + day * DAY, day, 0));
  return { body: jsonOf(bars), type: "application/json", bars };
}

function barOf(timestamp: number, day: number, revision: number): PlainBar {
  const changed = revision > 0 && day % 3 === revision;
  const close =
    Math.round((100 + Math.sin(day / 4) * 8 + day / 9 + (changed ? revision : 0)) * 100) / 100;
  return {
    timestamp,
    open: close - 1,
    high: close + 2,
    low: close - 2,
    close,
    volume: 1000 + (day % 11),
  };
}

const dateOf = (timestamp: number): string => new Date(timestamp).toISOString().slice(0, 10);

const csvOf = (bars: readonly PlainBar[]): string =>
  [
    "timestamp,open,high,low,close,volume",
    ...bars.map((b) => [dateOf(b.timestamp), b.open, b.high, b.low, b.close, b.volume].join(",")),
  ].join("\n");

const jsonOf = (bars: readonly PlainBar[], actions: readonly object[] = []): string =>
  JSON.stringify({
    resolution: "1d",
    actions,
    bars: bars.map((b) => ({ ...b, timestamp: dateOf(b.timestamp) })),
  });
