import type { LoggedEvent, LoggedObject } from "./view.ts";

/** A bar as it is compared: its values, and the version of the event that wrote it last. */
export interface FoldedBar {
  readonly resolution: string;
  readonly timestamp: number;
  readonly values: readonly (number | null)[];
  readonly source: string;
  readonly version: number;
}

type Fact = Readonly<Record<string, unknown>>;

const factsOf = (event: LoggedEvent): Fact[] => {
  const { bars, revisions } = event.payload as { bars?: Fact[]; revisions?: { after: Fact }[] };
  return bars ?? (revisions ?? []).map(({ after }) => after);
};

const nullable = (value: unknown): number | null =>
  value === null || value === undefined ? null : Number(value);

export const isMarketData = ({ eventType }: LoggedEvent): boolean =>
  eventType === "MarketDataIngested" || eventType === "MarketDataRevised";

export const barKeyOf = (resolution: unknown, timestamp: number): string =>
  `${String(resolution)} ${timestamp}`;

/** The bars that the events of one log add up to, by resolution and day. */
export function foldBars({ events }: Pick<LoggedObject, "events">): Map<string, FoldedBar> {
  const bars = new Map<string, FoldedBar>();
  for (const event of events.filter(isMarketData)) {
    const { resolution, source } = event.payload;
    for (const fact of factsOf(event)) {
      const timestamp = Date.parse(String(fact["timestamp"]));
      const values = ["open", "high", "low", "close", "volume"].map((name) => nullable(fact[name]));
      bars.set(barKeyOf(resolution, timestamp), {
        resolution: String(resolution),
        timestamp,
        values,
        source: String(source),
        version: event.version,
      });
    }
  }
  return bars;
}

/** The timestamps that an event adds. */
export const addedBy = (event: LoggedEvent): string[] =>
  event.eventType === "MarketDataIngested"
    ? factsOf(event).map((fact) =>
        barKeyOf(event.payload["resolution"], Date.parse(String(fact["timestamp"]))),
      )
    : [];
