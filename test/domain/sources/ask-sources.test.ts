import { describe, expect, test } from "vitest";
import { askSources, type Prices } from "../../../src/queues/ingest/ask-sources.ts";

const bar = (timestamp: number) => ({ timestamp, open: 1, high: 1, low: 1, close: 1, volume: 1 });
const page = (source: string, at: number, next: number | null = null, note?: string): Prices => ({
  outcome: "bars",
  bars: [bar(at)],
  source,
  next,
  ...(note === undefined ? {} : { note }),
});
const no = (outcome: string, retryAfterSeconds?: number): Prices => ({
  outcome,
  detail: `said ${outcome}`,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});

/** Sources that answer their requests one after the other, and a record of the calls. */
function desk(answers: Readonly<Record<string, readonly Prices[]>>) {
  const asked: string[] = [];
  const left = new Map(Object.entries(answers).map(([name, own]) => [name, [...own]]));
  const ask = async (source: string, from: number): Promise<Prices> => {
    asked.push(`${source}@${from}`);
    const answer = left.get(source)?.shift();
    if (answer === undefined) throw new Error(`${source} is asked once too often`);
    return answer;
  };
  return { asked, run: () => askSources(Object.keys(answers), 5, ask) };
}

describe("sources in their order", () => {
  test("the first one's pages are the series, and no other source is asked", async () => {
    const { asked, run } = desk({
      a: [page("a", 5, 6, "old ones are missing"), page("a", 6)],
      b: [],
    });
    expect(await run()).toEqual({
      kind: "answered",
      series: {
        bars: [bar(5), bar(6)],
        actions: [],
        source: "a",
        notes: ["old ones are missing"],
        offSession: [],
      },
      tried: [],
    });
    expect(asked).toEqual(["a@5", "a@6"]);
  });

  test.each([
    "Unavailable",
    "Timeout",
    "RateLimited",
    "GeoBlocked",
    "NotConfigured",
    "BreakerOpen",
    "UnknownSymbol",
    "Delisted",
  ])("%s lets the next one answer, which names itself and the skipped ones", async (outcome) => {
    const { asked, run } = desk({ a: [no(outcome)], b: [page("b", 7)] });
    expect(await run()).toMatchObject({
      kind: "answered",
      series: { source: "b" },
      tried: [{ source: "a", outcome, detail: `said ${outcome}` }],
    });
    expect(asked).toEqual(["a@5", "b@5"]);
  });

  test("after NoData no other source is asked", async () => {
    const { asked, run } = desk({ a: [no("NoData")], b: [] });
    const silence = { source: "a", detail: "said NoData", offSession: [] };
    expect(await run()).toEqual({ kind: "answered", series: null, silence, tried: [] });
    expect(asked).toEqual(["a@5"]);
  });

  test("an unreadable answer is reported, and no other source asked", async () => {
    const { asked, run } = desk({ a: [no("MalformedPayload")], b: [] });
    expect(await run()).toMatchObject({
      kind: "failed",
      outcome: {
        kind: "refused",
        error: { code: "source.malformed_payload", detail: "said MalformedPayload" },
      },
    });
    expect(asked).toEqual(["a@5"]);
  });

  test("a source that has begun to answer is not exchanged: no series is of two sources", async () => {
    const { asked, run } = desk({ a: [page("a", 5, 6), no("RateLimited", 7)], b: [] });
    expect(await run()).toMatchObject({
      kind: "failed",
      outcome: { kind: "later", error: { code: "source.rate_limited" }, afterSeconds: 7 },
    });
    expect(asked).toEqual(["a@5", "a@6"]);
  });

  test("pages without a bar before the first trade are skipped, and an end without data keeps the bars so far", async () => {
    const empty: Prices = { outcome: "bars", bars: [], source: "a", next: 6 };
    const some = desk({ a: [empty, page("a", 6, 7), no("NoData")] });
    expect(await some.run()).toMatchObject({ kind: "answered", series: { bars: [bar(6)] } });
    const none = desk({ a: [empty, no("NoData")] });
    expect(await none.run()).toMatchObject({
      kind: "answered",
      series: null,
      silence: { source: "a" },
      tried: [],
    });
  });

  test("a source that never ends is left after fifty pages, and the answer names the start of the next run", async () => {
    const { asked, run } = desk({
      a: Array.from({ length: 60 }, (_, index) => page("a", index, index + 1)),
    });
    expect(await run()).toMatchObject({
      kind: "answered",
      series: { notes: ["a has more: the next run goes on after 1970-01-01T00:00:00.050Z"] },
    });
    expect(asked).toHaveLength(50);
  });
});

describe("when none of them serves us", () => {
  test.each<[string, Record<string, Prices[]>, object]>([
    [
      "an outage is waited for, though the fallback has no key",
      { a: [no("Unavailable")], b: [no("NotConfigured")] },
      {
        kind: "later",
        error: { code: "source.unavailable", detail: "a: said Unavailable; b: said NotConfigured" },
      },
    ],
    [
      "an outage is no end of data, though the fallback has none",
      { a: [no("BreakerOpen", 30)], b: [no("NoData")] },
      { kind: "later", error: { code: "breaker.open" }, afterSeconds: 30 },
    ],
    [
      "a fallback that limits us is waited for when the first will never serve us",
      { a: [no("GeoBlocked")], b: [no("RateLimited", 9)] },
      { kind: "later", error: { code: "source.rate_limited" }, afterSeconds: 9 },
    ],
    [
      "nothing is retried when no source can ever answer",
      { a: [no("NotConfigured")], b: [no("GeoBlocked")] },
      { kind: "refused", error: { code: "source.not_configured" } },
    ],
    [
      "nothing is retried when the first never can and the fallback has no data",
      { a: [no("NotConfigured")], b: [no("NoData")] },
      { kind: "refused", error: { code: "source.not_configured" } },
    ],
    [
      "an unreadable fallback does not end the retries of the first",
      { a: [no("Timeout")], b: [no("MalformedPayload")], c: [] },
      { kind: "later", error: { code: "source.timeout" } },
    ],
  ])("%s", async (_, answers, outcome) => {
    const { run } = desk(answers);
    const asked = await run();
    expect(asked).toMatchObject({ kind: "failed", outcome });
    expect(asked.tried).toHaveLength(2);
  });
});
