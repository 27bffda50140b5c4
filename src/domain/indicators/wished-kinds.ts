import type { Bar } from "../asset/bar.ts";
import { initialAdx, stepAdx } from "./adx.ts";
import { initialAtr, stepAtr } from "./atr.ts";
import { bollingerBands } from "./bollinger.ts";
import { initialCalmar, stepCalmar } from "./calmar.ts";
import { initialCci, stepCci } from "./cci.ts";
import { initialDrawdown, stepDrawdown } from "./drawdown.ts";
import { initialEma, stepEma } from "./ema.ts";
import { initialMacd, stepMacd } from "./macd.ts";
import { initialMfi, stepMfi } from "./mfi.ts";
import { initialObv, stepObv } from "./obv.ts";
import { initialReturn, stepLogReturn, stepReturn } from "./return.ts";
import { initialRsi, stepRsi } from "./rsi.ts";
import { initialSharpe, stepSharpe } from "./sharpe.ts";
import { initialSma, stepSma } from "./sma.ts";
import { initialSortino, stepSortino } from "./sortino.ts";
import { initialStochastic, stepStochastic } from "./stochastic.ts";
import { initialValueAtRisk, stepConditionalValueAtRisk, stepValueAtRisk } from "./value-at-risk.ts";
import { initialVolatility, stepVolatility } from "./volatility.ts";

/** Takes one bar and tells a value for each of the kind's outputs. */
export type Step = (bar: Bar) => readonly (number | null)[];

/** A parameter: a whole number of bars unless `fraction` allows digits behind the point. */
export interface Parameter {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly fraction?: true;
}

/** A kind of indicator that can be asked for with parameters of one's own. */
export interface WishedKind {
  /** In the order in which they stand in a name, joined by `_`. */
  readonly parameters: readonly Parameter[];
  /** What is put behind the name for each output; "" for the only one. */
  readonly outputs: readonly string[];
  /**
   * How many bars before the first one asked for have to be run through, so that no digit of a value depends on where the
   * series was cut; null when it depends on the first bar of all.
   */
  readonly warmUp: (values: readonly number[]) => number | null;
  readonly create: (values: readonly number[], periodsPerYear: number) => Step;
}

/** Longer windows are for whoever has the bars. */
const LONGEST = 500;
const period = (least: number): Parameter => ({ name: "period", least, most: LONGEST });

/** A memory that fades by 1 − 1/n a bar (Wilder) has forgotten its start to the last digit after 40 n bars … */
const FADES = 40;
/** … and one that fades by 1 − 2/(n + 1) (EMA) in half of that. */
const FADES_EMA = 20;

const at = (values: readonly number[], index: number): number => values[index] ?? 0;

/** A kind with one parameter and one output. */
const single = (
  range: number | Parameter,
  warmUp: ((period: number) => number) | null,
  create: (period: number, periodsPerYear: number) => (bar: Bar) => number | null,
): WishedKind => ({
  parameters: [typeof range === "number" ? period(range) : range],
  outputs: [""],
  warmUp: (values) => (warmUp === null ? null : warmUp(at(values, 0))),
  create: (values, periodsPerYear) => {
    const step = create(at(values, 0), periodsPerYear);
    return (bar) => [step(bar)];
  },
});

/** A kind without parameters. */
const plain = (warmUp: number | null, create: () => (bar: Bar) => number | null): WishedKind => ({
  parameters: [],
  outputs: [""],
  warmUp: () => warmUp,
  create: () => {
    const step = create();
    return (bar) => [step(bar)];
  },
});

/** Value at risk and its like: the confidence in percent, and the period. */
const tailed = (
  step: (
    state: ReturnType<typeof initialValueAtRisk>,
    close: number,
    period: number,
    tail: number,
  ) => number | null,
): WishedKind => ({
  parameters: [{ name: "confidence", least: 50, most: 99 }, period(20)],
  outputs: [""],
  warmUp: (values) => at(values, 1) + 1,
  create: (values) => {
    const state = initialValueAtRisk();
    return ({ close }) => [step(state, close, at(values, 1), 1 - at(values, 0) / 100)];
  },
});

const window = (bars: number): number => bars + 1;
const fading = (bars: number): number => FADES * bars;
const fadingEma = (bars: number): number => FADES_EMA * (bars + 1);

/** Every kind by the word that its names begin with. */
export const WISHED_KINDS: Readonly<Record<string, WishedKind>> = {
  sma: single(1, window, (n) => {
    const state = initialSma();
    return ({ close }) => stepSma(state, close, n);
  }),
  ema: single(1, fadingEma, (n) => {
    const state = initialEma();
    return ({ close }) => stepEma(state, close, n);
  }),
  rsi: single(2, fading, (n) => {
    const state = initialRsi();
    return ({ close }) => stepRsi(state, close, n);
  }),
  atr: single(1, fading, (n) => {
    const state = initialAtr();
    return (bar) => stepAtr(state, bar, n);
  }),
  // Smoothed twice.
  adx: single(
    { name: "period", least: 2, most: LONGEST / 2 },
    (n) => 2 * fading(n),
    (n) => {
      const state = initialAdx();
      return (bar) => stepAdx(state, bar, n);
    },
  ),
  cci: single(2, window, (n) => {
    const state = initialCci();
    return (bar) => stepCci(state, bar, n);
  }),
  mfi: single(2, window, (n) => {
    const state = initialMfi();
    return (bar) => stepMfi(state, bar, n);
  }),
  volatility: single(2, window, (n, year) => {
    const state = initialVolatility();
    return ({ close }) => stepVolatility(state, close, n, year);
  }),
  sharpe: single(2, window, (n, year) => {
    const state = initialSharpe();
    return ({ close }) => stepSharpe(state, close, n, year);
  }),
  sortino: single(2, window, (n, year) => {
    const state = initialSortino();
    return ({ close }) => stepSortino(state, close, n, year);
  }),
  calmar: single(2, window, (n, year) => {
    const state = initialCalmar();
    return ({ close }) => stepCalmar(state, close, n, year);
  }),
  var: tailed(stepValueAtRisk),
  cvar: tailed(stepConditionalValueAtRisk),
  return: plain(1, () => {
    const state = initialReturn();
    return ({ close }) => stepReturn(state, close);
  }),
  logReturn: plain(1, () => {
    const state = initialReturn();
    return ({ close }) => stepLogReturn(state, close);
  }),
  drawdown: plain(null, () => {
    const state = initialDrawdown();
    return ({ close }) => stepDrawdown(state, close);
  }),
  obv: plain(null, () => {
    const state = initialObv();
    return (bar) => stepObv(state, bar);
  }),
  macd: {
    parameters: [
      { name: "fast", least: 2, most: LONGEST },
      { name: "slow", least: 2, most: LONGEST },
      { name: "signal", least: 1, most: LONGEST },
    ],
    outputs: ["", "Signal", "Histogram"],
    warmUp: (values) => fadingEma(Math.max(at(values, 0), at(values, 1)) + at(values, 2)),
    create: (values) => {
      const state = initialMacd();
      const periods = { fast: at(values, 0), slow: at(values, 1), signal: at(values, 2) };
      return ({ close }) => {
        const value = stepMacd(state, close, periods);
        return [value?.macd ?? null, value?.signal ?? null, value?.histogram ?? null];
      };
    },
  },
  bb: {
    parameters: [period(2), { name: "width", least: 0.1, most: 10, fraction: true }],
    outputs: ["Upper", "Middle", "Lower"],
    warmUp: (values) => window(at(values, 0)),
    create: (values) => {
      const state = initialSma();
      return ({ close }) => {
        const middle = stepSma(state, close, at(values, 0));
        const bands = middle === null ? null : bollingerBands(state, middle, at(values, 1));
        return [bands?.upper ?? null, bands?.middle ?? null, bands?.lower ?? null];
      };
    },
  },
  stoch: {
    parameters: [
      period(1),
      { name: "slowing", least: 1, most: 100 },
      { name: "signal", least: 1, most: 100 },
    ],
    outputs: ["K", "D"],
    warmUp: (values) => window(at(values, 0) + at(values, 1) + at(values, 2)),
    create: (values) => {
      const state = initialStochastic();
      const periods = { range: at(values, 0), slowing: at(values, 1), signal: at(values, 2) };
      return (bar) => {
        const value = stepStochastic(state, bar, periods);
        return [value?.k ?? null, value?.d ?? null];
      };
    },
  },
};
