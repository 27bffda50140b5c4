import type { Bar } from "../../src/domain/asset/bar.ts";
import { type AtrState, initialAtr, stepAtr } from "../../src/domain/indicators/atr.ts";
import { bollingerBands } from "../../src/domain/indicators/bollinger.ts";
import { type EmaState, initialEma, stepEma } from "../../src/domain/indicators/ema.ts";
import { initialMacd, type MacdState, stepMacd } from "../../src/domain/indicators/macd.ts";
import { initialRsi, type RsiState, stepRsi } from "../../src/domain/indicators/rsi.ts";
import { initialSma, type SmaState, stepSma } from "../../src/domain/indicators/sma.ts";

/** The six that every library has: SMA20, EMA20, RSI14, MACD 12-26-9, Bollinger 20×2, ATR14. */
export interface Six {
  sma: SmaState;
  ema: EmaState;
  rsi: RsiState;
  macd: MacdState;
  atr: AtrState;
}

export const initialSix = (): Six => ({
  sma: initialSma(),
  ema: initialEma(),
  rsi: initialRsi(),
  macd: initialMacd(),
  atr: initialAtr(),
});

const MACD = { fast: 12, slow: 26, signal: 9 };

/** One bar into all six; the sum of what they say, so that nothing can be left out. */
export function addSix(state: Six, bar: Bar): number {
  const average = stepSma(state.sma, bar.close, 20);
  const bands = average === null ? null : bollingerBands(state.sma, average, 2);
  const ema = stepEma(state.ema, bar.close, 20);
  const rsi = stepRsi(state.rsi, bar.close, 14);
  const macd = stepMacd(state.macd, bar.close, MACD);
  const atr = stepAtr(state.atr, bar, 14);
  return (bands?.upper ?? 0) + (ema ?? 0) + (rsi ?? 0) + (macd?.histogram ?? 0) + (atr ?? 0);
}
