import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percent, toSixDigits } from "../../../../src/domain/analysis/six-digits.ts";
import { type Citable, strangeNumbers } from "../../../../src/domain/recommendation/llm/numbers.ts";
import { shownData } from "../../../../src/domain/recommendation/llm/prompt.ts";
import { riskIn } from "../../../../src/domain/recommendation/rules-engine.ts";
import type { Snapshot } from "../../../../src/domain/recommendation/snapshot.ts";
import { sp500 } from "../../indicators/sp500.ts";
import { citable, falling, rising, snapshotAfter, young } from "./given.ts";

const snapshots = { rising, falling, young };

/**
 * Every number anywhere in a snapshot, found without the code under test: leaves, and digits in its
 * texts.
 */
const leaves = (value: unknown): number[] => {
  if (typeof value === "number") return [value];
  if (typeof value === "string") return (value.match(/\d+(?:\.\d+)?/g) ?? []).map(Number);
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [...leaves(key), ...leaves(inner)])
    : [];
};
const everything = (snapshot: Snapshot): number[] => {
  const { asOf: _asOf, ...rest } = snapshot;
  return [
    ...leaves(rest),
    ...leaves(shownData(snapshot, riskIn(snapshot))),
    0,
    1,
    2,
    3,
    4,
    5,
  ].flatMap((n) => [n, n * 100, n / 100]);
};

const isFar = (number: number, from: readonly number[]): boolean =>
  from.every(
    (one) =>
      Math.abs(Math.abs(number) - Math.abs(one)) > 0.06 * Math.max(Math.abs(one), Math.abs(number)),
  );

const citables = new Map<Snapshot, Citable>();
const strange = (snapshot: Snapshot, text: string): readonly string[] => {
  const own = citables.get(snapshot) ?? citable(snapshot);
  citables.set(snapshot, own);
  return strangeNumbers(text, own);
};

describe.each(Object.entries(snapshots))("numbers in a text about the %s market", (_, snapshot) => {
  const known = everything(snapshot);

  it("are caught when the snapshot has none like them, however they are written", () => {
    const number = fc.oneof(
      fc.double({ min: 0.001, max: 1e7, noNaN: true }),
      fc.integer({ min: 6, max: 5_000_000 }),
    );
    const written = fc.constantFrom<(n: number) => string>(
      (n) => String(n),
      (n) => n.toFixed(2),
      (n) => n.toFixed(1),
      (n) => `${n.toFixed(1)} %`,
      (n) => `${n.toFixed(2)}%`,
      (n) => `${n.toFixed(1)} percent`,
      (n) => `-${n.toFixed(2)}`,
      (n) => `−${n.toFixed(2)}`,
      (n) => `$${n.toFixed(2)}`,
      (n) => `(${n.toFixed(3)})`,
      (n) => n.toExponential(3),
      (n) => n.toLocaleString("en-US", { maximumFractionDigits: 2 }),
      (n) => `"${n.toFixed(2)}",`,
      (n) => `about ${n.toFixed(2)}.`,
      (n) => `${n.toFixed(0)}x`,
      (n) => `${n.toFixed(0)} bps`,
    );
    fc.assert(
      fc.property(
        number,
        written,
        fc.constantFrom("The RSI is ", "A target of ", "near "),
        (n, write, before) => {
          const text = write(n);
          const said = Number(
            /\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?/.exec(text)?.[0].replaceAll(",", ""),
          );
          fc.pre(isFar(said, known));
          expect(strange(snapshot, `${before}${text}`)).not.toEqual([]);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("pass when they are written as they were shown, at any place", () => {
    const shown = shownData(snapshot, riskIn(snapshot));
    const texts = (value: unknown): string[] =>
      typeof value === "string"
        ? [value]
        : typeof value === "object" && value !== null
          ? Object.values(value).flatMap(texts)
          : [];
    const sentences = texts(shown);
    expect(sentences.length).toBeGreaterThan(20);
    for (const sentence of sentences) expect(strange(snapshot, sentence), sentence).toEqual([]);
    fc.assert(
      fc.property(fc.constantFrom(...sentences), fc.constantFrom(...sentences), (one, other) => {
        expect(strange(snapshot, `So: ${one} ${other} (${one}) "${other}"`)).toEqual([]);
      }),
    );
  });

  it("pass as values rounded to the digits they show", () => {
    const { values, close, trend } = snapshot;
    const plain = [
      close,
      ...Object.values(values),
      ...trend.signals.map(({ value }) => value),
    ].filter((n) => n !== null);
    const isShown = (n: number, text: string) => Math.abs(Number(text) - n) <= 0.05 * Math.abs(n);
    fc.assert(
      fc.property(fc.constantFrom(...plain), fc.integer({ min: 0, max: 6 }), (n, decimals) => {
        const text = n.toFixed(decimals);
        fc.pre(isShown(n, text));
        expect(strange(snapshot, `It is ${text}, as ${toSixDigits(n)} says.`)).toEqual([]);
      }),
    );
  });

  it("do not pass with the wrong sign or a wrong last digit", () => {
    const { macd } = snapshot.values;
    if (macd === null) return;
    const known = toSixDigits(macd);
    expect(strange(snapshot, `The MACD is ${known}.`)).toEqual([]);
    expect(strange(snapshot, `The MACD is ${toSixDigits(-macd)}.`)).not.toEqual([]);
    expect(strange(snapshot, `The MACD is ${toSixDigits(macd * 1.0001)}.`)).not.toEqual([]);
  });
});

describe("units", () => {
  const volatility = rising.values.volatility30 ?? Number.NaN;

  it("may be written in percent or as a fraction", () => {
    expect(strange(rising, `Volatility is ${percent(volatility)}.`)).toEqual([]);
    expect(strange(rising, `Volatility is ${(volatility * 100).toFixed(2)}%.`)).toEqual([]);
    expect(strange(rising, `Volatility is ${volatility.toFixed(3)}.`)).toEqual([]);
  });

  it("do not let percent be lost or invented", () => {
    expect(strange(rising, `Volatility is ${(volatility * 100).toFixed(2)}.`)).not.toEqual([]);
    expect(strange(rising, `Volatility is ${volatility.toFixed(3)} %.`)).not.toEqual([]);
    const rsi = rising.values.rsi14 ?? Number.NaN;
    expect(strange(rising, `The RSI is ${toSixDigits(rsi)}.`)).toEqual([]);
    expect(strange(rising, `The RSI is ${toSixDigits(rsi)} %.`)).not.toEqual([]);
    expect(strange(rising, `The RSI is ${toSixDigits(rsi)} basis points.`)).not.toEqual([]);
  });
});

describe("rounding", () => {
  const only = (value: number, isFraction = false): Citable => ({
    plain: new Set(),
    percent: new Set(),
    values: [{ value, isFraction }],
    words: new Set(),
    dates: new Set(),
    names: [],
  });

  it.each<[string, Citable]>([
    ["0.6", only(0.6)],
    ["0.61", only(0.612)],
    ["57", only(57.36)],
    ["57.4", only(57.36)],
    ["-3.1", only(-3.14)],
    ["12 %", only(0.123, true)],
  ])("passes %s", (text, citable) => expect(strangeNumbers(`It is ${text}.`, citable)).toEqual([]));

  it.each<[string, Citable]>([
    ["1", only(0.6)],
    ["0", only(0.4)],
    ["2", only(1.6)],
    ["0.0", only(0.04)],
    ["1 %", only(0.006, true)],
    ["58", only(57.36)],
    ["57.3", only(57.36)],
  ])("catches %s, which means something else", (text, citable) =>
    expect(strangeNumbers(`It is ${text}.`, citable)).toEqual([text]),
  );
});

describe("characters around digits", () => {
  const day = new Date(rising.asOf).toISOString().slice(0, 10);
  const [year, month, date] = day.split("-").map(Number);
  const name = new Date(rising.asOf).toLocaleString("en-US", { month: "long", timeZone: "UTC" });

  it.each([
    `As of ${day} the trend is up.`,
    `As of ${date} ${name} ${year} the trend is up.`,
    `As of ${name} ${date}, ${year} the trend is up.`,
    "RSI(14), rsi14, SMA20, the 50-bar and the 200-bar average.",
    "Daily bars (1d), 20 bars ahead.",
    "SPX is one of the two.",
  ])("passes: %s", (text) => expect(strange(rising, text)).toEqual([]));

  it.each([
    `As of ${year}-${String(month).padStart(2, "0")}-32.`,
    "As of 1999-12-31.",
    "In January 2031, 5 January 2031.",
    "RSI99 and sma777",
    "1,23 or 1.2.3",
    "½ of it",
    "５７",
    "٣٤",
    "Ⅻ",
    "x²",
    "thirty percent",
    "two hundred",
    "ninety-nine",
    "a million",
    "3x leverage",
    "10k",
    "5bn",
    "Q3",
    "the 99th percentile",
    "up 5‰",
  ])("catches: %s", (text) => expect(strange(rising, text)).not.toEqual([]));

  it("passes over digits of the asset's own name, and only there", () => {
    const own = snapshotAfter(sp500().slice(0, 4500), "0700.HK");
    expect(strange(own, "The trend of 0700.HK is up.")).toEqual([]);
    expect(strange(own, "The target is 0700.")).not.toEqual([]);
    expect(strange(rising, "The trend of 0700.HK is up.")).not.toEqual([]);
  });

  it("reads any text in bounded time", () => {
    for (const text of [
      "1".repeat(20_000),
      "1,".repeat(10_000),
      "a1".repeat(10_000),
      "- ".repeat(10_000),
      "1.".repeat(10_000),
    ]) {
      const before = performance.now();
      strange(rising, text);
      expect(performance.now() - before).toBeLessThan(2_000);
    }
  });
});
