import type { Bar } from "../../src/domain/asset/bar.ts";
import { type AtrState, atrColumn, initialAtr, stepAtr } from "../../src/domain/indicators/atr.ts";
import type { BarColumns } from "../../src/domain/indicators/bar-columns.ts";
import {
  type BollingerState,
  bandReach,
  bollingerColumns,
  emptyBollingerColumns,
  initialBollinger,
  stepBollinger,
} from "../../src/domain/indicators/bollinger.ts";
import { type EmaState, emaColumn, initialEma, stepEma } from "../../src/domain/indicators/ema.ts";
import {
  emptyMacdColumns,
  initialMacd,
  type MacdState,
  macdColumns,
  stepMacd,
} from "../../src/domain/indicators/macd.ts";
import { initialRsi, type RsiState, rsiColumn, stepRsi } from "../../src/domain/indicators/rsi.ts";

/**
 * The six that every library has: SMA20, EMA20, RSI14, MACD 12-26-9, Bollinger 20×2, ATR14. The
 * average is the middle of the bands, as in the set that is kept for every asset.
 */
export interface Six {
  bollinger: BollingerState;
  ema: EmaState;
  rsi: RsiState;
  macd: MacdState;
  atr: AtrState;
}

export const initialSix = (): Six => ({
  bollinger: initialBollinger(),
  ema: initialEma(),
  rsi: initialRsi(),
  macd: initialMacd(),
  atr: initialAtr(),
});

const MACD = { fast: 12, slow: 26, signal: 9 };

/** One bar into all six; the sum of their values, so that none can be optimised away. */
export function addSix(state: Six, { high, low, close }: Bar): number {
  const middle = stepBollinger(state.bollinger, close, 20);
  const reach = bandReach(state.bollinger, middle, 20, 2);
  const ema = stepEma(state.ema, close, 20);
  const rsi = stepRsi(state.rsi, close, 14);
  const macd = stepMacd(state.macd, close, MACD);
  const atr = stepAtr(state.atr, high ?? Number.NaN, low ?? Number.NaN, close, 14);
  return middle + reach + ema + rsi + macd - state.macd.signal.value + atr;
}

/** Columns for the six over a series; the average's is the middle of the bands. */
export const emptySix = (length: number) => ({
  ema: new Float64Array(length),
  rsi: new Float64Array(length),
  macd: emptyMacdColumns(length),
  bollinger: emptyBollingerColumns(length),
  atr: new Float64Array(length),
});

/** All six over a whole series, into nine columns. */
export const sixColumns = (
  { high, low, close }: BarColumns,
  into: ReturnType<typeof emptySix>,
): readonly unknown[] => [
  emaColumn(close, 20, into.ema),
  rsiColumn(close, 14, into.rsi),
  macdColumns(close, MACD, into.macd),
  bollingerColumns(close, 20, 2, into.bollinger),
  atrColumn(high, low, close, 14, into.atr),
];
