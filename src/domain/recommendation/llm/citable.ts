import { INDICATOR_NAMES } from "../../indicators/values.ts";
import { confidenceIn } from "../confidence.ts";
import { ACTIONS } from "../recommendation.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Citable, tokensIn, withoutNames } from "./numbers.ts";
import { outsideText } from "./outside-text.ts";

/** Indicators that are fractions of one: shown in percent as well. */
const FRACTIONS: ReadonlySet<string> = new Set(["volatility30"]);

/** Every text in a value, however deep. */
const textsIn = (value: unknown): readonly string[] => {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
};

/**
 * The citable numbers of a snapshot: each number of `shown`, which is what the model saw, and the
 * values behind it.
 */
export const citableIn = (snapshot: Snapshot, shown: unknown): Citable => {
  const plain = new Set<number>();
  const percent = new Set<number>();
  const words = new Set<string>();
  const dates = new Set<string>();
  const names = [snapshot.symbol, outsideText(snapshot.symbol), snapshot.source];
  // Digits of a name are no number of the asset: 0700.HK is not at 700.
  const texts = textsIn(shown).map((text) => withoutNames(text, { names }));
  for (const one of texts.flatMap(tokensIn)) {
    if (one.kind === "number") (one.isPercent ? percent : plain).add(one.value);
    if (one.kind === "word") words.add(one.text.toLowerCase());
    if (one.kind === "date") dates.add(one.text);
  }
  // "RSI(14)" means the same as "rsi14".
  for (const name of INDICATOR_NAMES) {
    words.add(name.toLowerCase());
    for (const digits of name.match(/\d+/g) ?? []) plain.add(Number(digits));
  }
  for (const count of countsIn(snapshot)) plain.add(count);
  return { plain, percent, words, dates, names, values: valuesIn(snapshot) };
};

const valuesIn = ({ close, values, trend, trackRecord }: Snapshot): Citable["values"] => [
  { value: close, isFraction: false },
  ...INDICATOR_NAMES.flatMap((name) => numberOf(values[name], FRACTIONS.has(name))),
  ...numberOf(trend.score, false),
  ...trend.signals.flatMap(({ value, threshold, vote, weight, contribution }) => [
    ...numberOf(value, false),
    ...numberOf(threshold, false),
    ...numberOf(vote, false),
    ...numberOf(weight, true),
    ...numberOf(contribution, false),
  ]),
  ...ACTIONS.flatMap((action) => {
    const { confidence, baseRate, hitRate } = confidenceIn(action, trackRecord);
    return [confidence, baseRate, hitRate].flatMap((value) => numberOf(value, true));
  }),
];

const numberOf = (value: number | null, isFraction: boolean): Citable["values"] =>
  value === null ? [] : [{ value, isFraction }];

/**
 * The numbers of signals: all, known, for either direction or for none; and the counts of the
 * record.
 */
const countsIn = ({ trend, trackRecord }: Snapshot): readonly number[] => {
  const votes = trend.signals.flatMap(({ vote }) => (vote === null ? [] : [vote]));
  return [
    trend.signals.length,
    votes.length,
    trend.counterEvidence.length,
    ...[1, 0, -1].map((side) => votes.filter((vote) => Math.sign(vote) === side).length),
    trackRecord.n,
    ...ACTIONS.flatMap((action) => [
      trackRecord.actions[action].n,
      trackRecord.actions[action].hits,
    ]),
  ];
};
