import { initialAdx, stepAdx } from "../../../src/domain/indicators/adx.ts";
import { initialAtr, stepAtr } from "../../../src/domain/indicators/atr.ts";
import { bollingerBands } from "../../../src/domain/indicators/bollinger.ts";
import { initialCci, stepCci } from "../../../src/domain/indicators/cci.ts";
import { initialEma, stepEma } from "../../../src/domain/indicators/ema.ts";
import { initialMacd, stepMacd } from "../../../src/domain/indicators/macd.ts";
import { initialMfi, stepMfi } from "../../../src/domain/indicators/mfi.ts";
import { initialObv, stepObv } from "../../../src/domain/indicators/obv.ts";
import { initialRsi, stepRsi } from "../../../src/domain/indicators/rsi.ts";
import { initialSharpe, stepSharpe } from "../../../src/domain/indicators/sharpe.ts";
import { initialSma, stepSma } from "../../../src/domain/indicators/sma.ts";
import { initialStochastic, stepStochastic } from "../../../src/domain/indicators/stochastic.ts";
import { initialVolatility, stepVolatility } from "../../../src/domain/indicators/volatility.ts";
import { obeysTheContract } from "./contract.ts";

obeysTheContract({
  name: "SMA",
  create: initialSma,
  step: (state, bar) => stepSma(state, bar.close, 20),
  firstIndex: 19,
  needs: "close",
});
obeysTheContract({
  name: "Bollinger bands",
  create: initialSma,
  step: (state, bar) => {
    const middle = stepSma(state, bar.close, 20);
    return middle === null ? null : bollingerBands(state, middle, 2);
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
  step: (state, bar) => stepMacd(state, bar.close, { fast: 12, slow: 26, signal: 9 }),
  firstIndex: 33,
  needs: "close",
});
obeysTheContract({
  name: "ATR",
  create: initialAtr,
  step: (state, bar) => stepAtr(state, bar, 14),
  firstIndex: 14,
  needs: "range",
});
obeysTheContract({
  name: "ADX",
  create: initialAdx,
  step: (state, bar) => stepAdx(state, bar, 14),
  firstIndex: 27,
  needs: "range",
});
obeysTheContract({
  name: "CCI",
  create: initialCci,
  step: (state, bar) => stepCci(state, bar, 20),
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
obeysTheContract({ name: "OBV", create: initialObv, step: stepObv, firstIndex: 0, needs: "volume" });
obeysTheContract({
  name: "Stochastic",
  create: initialStochastic,
  step: (state, bar) => stepStochastic(state, bar, { range: 14, slowing: 3, signal: 3 }),
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
