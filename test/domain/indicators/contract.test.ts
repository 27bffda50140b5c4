import { initialAdx, stepAdx } from "../../../src/domain/indicators/adx.ts";
import { initialAtr, stepAtr } from "../../../src/domain/indicators/atr.ts";
import {
  bandReach,
  initialBollinger,
  stepBollinger,
} from "../../../src/domain/indicators/bollinger.ts";
import { initialCalmar, stepCalmar } from "../../../src/domain/indicators/calmar.ts";
import { initialCci, stepCci } from "../../../src/domain/indicators/cci.ts";
import { initialDrawdown, stepDrawdown } from "../../../src/domain/indicators/drawdown.ts";
import { initialEma, stepEma } from "../../../src/domain/indicators/ema.ts";
import { initialMacd, stepMacd } from "../../../src/domain/indicators/macd.ts";
import { initialMfi, stepMfi } from "../../../src/domain/indicators/mfi.ts";
import { initialObv, stepObv } from "../../../src/domain/indicators/obv.ts";
import { initialReturn, stepLogReturn, stepReturn } from "../../../src/domain/indicators/return.ts";
import { initialRsi, stepRsi } from "../../../src/domain/indicators/rsi.ts";
import { initialSharpe, stepSharpe } from "../../../src/domain/indicators/sharpe.ts";
import { initialSma, stepSma } from "../../../src/domain/indicators/sma.ts";
import { initialSortino, stepSortino } from "../../../src/domain/indicators/sortino.ts";
import {
  initialStochastic,
  stepStochastic,
  stochasticD,
} from "../../../src/domain/indicators/stochastic.ts";
import {
  initialValueAtRisk,
  stepConditionalValueAtRisk,
  stepValueAtRisk,
} from "../../../src/domain/indicators/value-at-risk.ts";
import { initialVolatility, stepVolatility } from "../../../src/domain/indicators/volatility.ts";
import { obeysTheContract, rangeOf } from "./contract.ts";

obeysTheContract({
  name: "SMA",
  create: initialSma,
  step: (state, bar) => stepSma(state, bar.close, 20),
  firstIndex: 19,
  needs: "close",
});
obeysTheContract({
  name: "Bollinger bands",
  create: initialBollinger,
  step: (state, bar) => {
    const middle = stepBollinger(state, bar.close, 20);
    return [middle, Number.isNaN(middle) ? middle : bandReach(state, middle, 20, 2)];
  },
  firstIndex: 19,
  needs: "close",
});
obeysTheContract({
  name: "EMA",
  create: initialEma,
  step: (state, bar) => stepEma(state, bar.close, 20),
  firstIndex: 19,
  needs: "close",
});
obeysTheContract({
  name: "RSI",
  create: initialRsi,
  step: (state, bar) => stepRsi(state, bar.close, 14),
  firstIndex: 14,
  needs: "close",
});
obeysTheContract({
  name: "MACD",
  create: initialMacd,
  step: (state, bar) => {
    const line = stepMacd(state, bar.close, { fast: 12, slow: 26, signal: 9 });
    return [line, Number.isNaN(line) ? line : state.signal.value];
  },
  firstIndex: 33,
  needs: "close",
});
obeysTheContract({
  name: "ATR",
  create: initialAtr,
  step: (state, bar) => stepAtr(state, ...rangeOf(bar), 14),
  firstIndex: 14,
  needs: "range",
});
obeysTheContract({
  name: "ADX",
  create: initialAdx,
  step: (state, bar) => stepAdx(state, ...rangeOf(bar), 14),
  firstIndex: 27,
  needs: "range",
});
obeysTheContract({
  name: "CCI",
  create: initialCci,
  step: (state, bar) => stepCci(state, ...rangeOf(bar), 20),
  firstIndex: 19,
  needs: "range",
});
obeysTheContract({
  name: "MFI",
  create: initialMfi,
  step: (state, bar) => stepMfi(state, bar, 14),
  firstIndex: 14,
  needs: "range and volume",
});
obeysTheContract({
  name: "OBV",
  create: initialObv,
  step: stepObv,
  firstIndex: 0,
  needs: "volume",
});
obeysTheContract({
  name: "Stochastic",
  create: initialStochastic,
  step: (state, bar) => {
    const k = stepStochastic(state, ...rangeOf(bar), { range: 14, slowing: 3, signal: 3 });
    return [k, Number.isNaN(k) ? k : stochasticD(state)];
  },
  firstIndex: 17,
  needs: "range",
});
obeysTheContract({
  name: "Volatility",
  create: initialVolatility,
  step: (state, bar) => stepVolatility(state, bar.close, 30, 252),
  firstIndex: 30,
  needs: "close",
});
obeysTheContract({
  name: "Sharpe",
  create: initialSharpe,
  step: (state, bar) => stepSharpe(state, bar.close, 30, 252),
  firstIndex: 30,
  needs: "close",
});
obeysTheContract({
  name: "simple return",
  create: initialReturn,
  step: (state, bar) => stepReturn(state, bar.close),
  firstIndex: 1,
  needs: "close",
});
obeysTheContract({
  name: "logarithmic return",
  create: initialReturn,
  step: (state, bar) => stepLogReturn(state, bar.close),
  firstIndex: 1,
  needs: "close",
});
obeysTheContract({
  name: "Sortino ratio",
  create: initialSortino,
  step: (state, bar) => stepSortino(state, bar.close, 20, 252),
  firstIndex: 20,
  needs: "close",
});
obeysTheContract({
  name: "Calmar ratio",
  create: initialCalmar,
  step: (state, bar) => stepCalmar(state, bar.close, 20, 252),
  firstIndex: 20,
  needs: "close",
});
obeysTheContract({
  name: "value at risk",
  create: initialValueAtRisk,
  step: (state, bar) => stepValueAtRisk(state, bar.close, 20, 0.05),
  firstIndex: 20,
  needs: "close",
});
obeysTheContract({
  name: "conditional value at risk",
  create: initialValueAtRisk,
  step: (state, bar) => stepConditionalValueAtRisk(state, bar.close, 20, 0.05),
  firstIndex: 20,
  needs: "close",
});
obeysTheContract({
  name: "drawdown",
  create: initialDrawdown,
  step: (state, bar) => stepDrawdown(state, bar.close),
  firstIndex: 0,
  needs: "close",
});
