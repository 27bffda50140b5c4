import type { Bar } from "../asset/bar.ts";
import { type AdxState, initialAdx, stepAdx } from "./adx.ts";
import { type AtrState, initialAtr, stepAtr } from "./atr.ts";
import { type BollingerState, bandReach, initialBollinger, stepBollinger } from "./bollinger.ts";
import { type CciState, initialCci, stepCci } from "./cci.ts";
import { type EmaState, initialEma, stepEma } from "./ema.ts";
import { initialMacd, type MacdState, stepMacd } from "./macd.ts";
import { initialMfi, type MfiState, stepMfi } from "./mfi.ts";
import { initialObv, type ObvState, stepObv } from "./obv.ts";
import { initialRsi, type RsiState, stepRsi } from "./rsi.ts";
import { initialSharpe, type SharpeState, stepSharpe } from "./sharpe.ts";
import {
  initialStochastic,
  type StochasticState,
  stepStochastic,
  stochasticD,
} from "./stochastic.ts";
import { type IndicatorValues, orNull } from "./values.ts";
import { initialVolatility, stepVolatility, type VolatilityState } from "./volatility.ts";

/**
 * Raise it when a period, a convention or the shape of a state changes: a state of another version
 * is rebuilt from bars.
 */
export const INDICATOR_STATE_VERSION = 4;

const MACD = { fast: 12, slow: 26, signal: 9 };
const STOCHASTIC = { range: 14, slowing: 3, signal: 3 };

/**
 * Larger magnitudes are broken data; refusing them keeps every square and product inside the number
 * range.
 */
const MAX_INPUT = 1e75;

/**
 * All indicators of one asset at one resolution, after the last bar so far. Plain JSON: no field is
 * ever NaN or infinite, so a round trip through text loses nothing.
 */
export interface IndicatorState {
  version: number;
  periodsPerYear: number;
  bollinger: BollingerState;
  ema: EmaState;
  rsi: RsiState;
  macd: MacdState;
  atr: AtrState;
  adx: AdxState;
  cci: CciState;
  mfi: MfiState;
  obv: ObvState;
  stochastic: StochasticState;
  volatility: VolatilityState;
  sharpe: SharpeState;
}

export const initialIndicatorState = (periodsPerYear: number): IndicatorState => ({
  version: INDICATOR_STATE_VERSION,
  periodsPerYear,
  bollinger: initialBollinger(),
  ema: initialEma(),
  rsi: initialRsi(),
  macd: initialMacd(),
  atr: initialAtr(),
  adx: initialAdx(),
  cci: initialCci(),
  mfi: initialMfi(),
  obv: initialObv(),
  stochastic: initialStochastic(),
  volatility: initialVolatility(),
  sharpe: initialSharpe(),
});

const isUsable = (input: number | null): boolean => input === null || Math.abs(input) <= MAX_INPUT;

/**
 * Adds one more final bar to `state` (in place) and returns every indicator's value after it, in
 * O(1). Bars come oldest first. A number that is not finite, or beyond ±1e75, throws before
 * anything is changed: prices are checked where they enter the system, so it can only be a bug.
 */
export const addBar = (state: IndicatorState, bar: Bar): IndicatorValues => {
  const { open, high, low, close, volume } = bar;
  if (!(isUsable(open) && isUsable(high) && isUsable(low) && isUsable(close) && isUsable(volume)))
    throw new RangeError(`The bar at ${bar.timestamp} holds a number that is no price or volume.`);
  const top = high ?? Number.NaN;
  const bottom = low ?? Number.NaN;
  const average = stepBollinger(state.bollinger, close, 20);
  const reach = bandReach(state.bollinger, average, 20, 2);
  const macd = stepMacd(state.macd, close, MACD);
  const signal = state.macd.signal.value;
  const k = stepStochastic(state.stochastic, top, bottom, close, STOCHASTIC);
  return {
    sma20: orNull(average),
    ema20: orNull(stepEma(state.ema, close, 20)),
    rsi14: orNull(stepRsi(state.rsi, close, 14)),
    macd: orNull(macd),
    macdSignal: Number.isNaN(macd) ? null : signal,
    macdHistogram: orNull(macd - signal),
    bbUpper: orNull(average + reach),
    bbMiddle: orNull(average),
    bbLower: orNull(average - reach),
    atr14: orNull(stepAtr(state.atr, top, bottom, close, 14)),
    adx14: orNull(stepAdx(state.adx, top, bottom, close, 14)),
    cci20: orNull(stepCci(state.cci, top, bottom, close, 20)),
    mfi14: orNull(stepMfi(state.mfi, bar, 14)),
    obv: orNull(stepObv(state.obv, bar)),
    stochK: orNull(k),
    stochD: Number.isNaN(k) ? null : stochasticD(state.stochastic),
    volatility30: orNull(stepVolatility(state.volatility, close, 30, state.periodsPerYear)),
    sharpe30: orNull(stepSharpe(state.sharpe, close, 30, state.periodsPerYear)),
  };
};

/**
 * The values of every bar of a series, oldest first; the same code as streaming, hence the same
 * numbers.
 */
export const computeAll = (bars: readonly Bar[], periodsPerYear: number): IndicatorValues[] => {
  const state = initialIndicatorState(periodsPerYear);
  return bars.map((bar) => addBar(state, bar));
};
