import { describe, expect, it } from "vitest";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { barsOf, fromFact } from "../../../src/domain/asset/bar-fact.ts";
import { ingestEvents } from "../../../src/domain/asset/ingest.ts";

const DAY = 86_400_000;
const bar = (day: number, close = 100): Bar => ({
  timestamp: day * DAY,
  open: null,
  high: null,
  low: null,
  close,
  volume: null,
});
const about = {
  symbol: "ACME",
  resolution: "1d" as const,
  source: "import",
  scheduleId: null,
  slot: null,
};

describe("the facts of a merge", () => {
  it("are none when nothing is new", () => {
    expect(ingestEvents({ added: [], revised: [] }, about)).toEqual([]);
  });

  it("split a long history into parts that stay small, with each bar in exactly one of them", () => {
    const added = Array.from({ length: 5_000 }, (_, day) => bar(day));
    const revised = Array.from({ length: 1_000 }, (_, n) => ({
      before: bar(6_000 + n),
      after: bar(6_000 + n, 101),
    }));
    const events = ingestEvents({ added, revised }, about);
    expect(events.length).toBeGreaterThan(5);
    const written = events.flatMap((event) => barsOf(event).map(fromFact));
    expect(written).toEqual([...added, ...revised.map(({ after }) => after)]);
    for (const [index, event] of events.entries()) {
      expect(JSON.stringify(event).length).toBeLessThan(64_000);
      expect(event.payload).toMatchObject({ part: index + 1, parts: events.length });
    }
  });
});
