import type { Bar } from "../../../src/domain/asset/bar.ts";

/*
 * Every indicator a second time, straight from its definition over the whole series, as slow as it comes and without a
 * line of the product: two implementations that agree on random parameters are probably both right.
 */

type Column = readonly (number | null)[];

const mean = (values: readonly number[]): number =>
  values.reduce((sum, x) => sum + x, 0) / values.length;
const deviation = (values: readonly number[], divisor: number): number =>
  Math.sqrt(values.reduce((sum, x) => sum + (x - mean(values)) ** 2, 0) / divisor);

/**
 * The last `n` entries up to an index; null if there are not so many or one of them is not known.
 */
function lastOf(column: Column, index: number, n: number): number[] | null {
  if (index + 1 < n) return null;
  const values = column.slice(index + 1 - n, index + 1);
  return values.some((value) => value === null) ? null : values.map(Number);
}
const over = (column: Column, n: number, of: (values: number[]) => number | null): Column =>
  column.map((_, index) => {
    const values = lastOf(column, index, n);
    return values === null ? null : of(values);
  });

/** A recursion that begins with the mean of its first `n` known inputs. */
function smoothed(column: Column, n: number, weight: number): Column {
  const first = column.findIndex((value) => value !== null);
  let value = 0;
  return column.map((input, index) => {
    if (first < 0 || index < first + n - 1) return null;
    value =
      index === first + n - 1
        ? mean(column.slice(first, first + n).map(Number))
        : value * (1 - weight) + Number(input) * weight;
    return value;
  });
}
const ema = (column: Column, n: number): Column => smoothed(column, n, 2 / (n + 1));
const wilder = (column: Column, n: number): Column => smoothed(column, n, 1 / n);
const combine = (a: Column, b: Column, of: (x: number, y: number) => number | null): Column =>
  a.map((x, index) => {
    const y = b[index] ?? null;
    return x === null || y === null ? null : of(x, y);
  });

interface Series {
  readonly close: Column;
  readonly high: Column;
  readonly low: Column;
  readonly typical: Column;
  readonly change: Column;
  readonly returns: Column;
  readonly logReturns: Column;
  readonly trueRange: Column;
}

function columnsOf(bars: readonly Bar[]): Series {
  const close = bars.map((bar) => bar.close);
  const before = (index: number): number => close[index - 1] ?? Number.NaN;
  const later = (of: (index: number) => number): Column =>
    bars.map((_, index) => (index === 0 ? null : of(index)));
  return {
    close,
    high: bars.map(({ high }) => high),
    low: bars.map(({ low }) => low),
    typical: bars.map(({ high, low, close: last }) => (Number(high) + Number(low) + last) / 3),
    change: later((index) => (close[index] ?? 0) - before(index)),
    returns: later((index) => (close[index] ?? 0) / before(index) - 1),
    logReturns: later((index) => Math.log((close[index] ?? 0) / before(index))),
    trueRange: later(
      (index) =>
        Math.max(Number(bars[index]?.high), before(index)) -
        Math.min(Number(bars[index]?.low), before(index)),
    ),
  };
}

function adx(bars: readonly Bar[], s: Series, n: number): Column {
  const moves = (up: boolean): Column =>
    bars.map((bar, index) => {
      if (index === 0) return null;
      const rise = Number(bar.high) - Number(s.high[index - 1]);
      const fall = Number(s.low[index - 1]) - Number(bar.low);
      if (up) return rise > fall && rise > 0 ? rise : 0;
      return fall > rise && fall > 0 ? fall : 0;
    });
  // TA-Lib: sums of the first n − 1, then each step loses a share of 1/n and gains the newest.
  const sums = (column: Column): Column => {
    let sum = 0;
    return column.map((value, index) => {
      if (index === 0) return null;
      sum = index < n ? sum + Number(value) : sum - sum / n + Number(value);
      return index < n ? null : sum;
    });
  };
  const range = sums(s.trueRange);
  const share = (column: Column) =>
    combine(sums(column), range, (x, y) => (y === 0 ? 0 : (100 * x) / y));
  const dx = combine(share(moves(true)), share(moves(false)), (x, y) =>
    x + y === 0 ? 0 : (100 * Math.abs(x - y)) / (x + y),
  );
  return wilder(dx, n);
}

function quantile(values: readonly number[], probability: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * probability;
  const low = Number(sorted[Math.floor(place)]);
  return low + (Number(sorted[Math.ceil(place)]) - low) * (place % 1);
}

const deepestOf = (closes: readonly number[]): number =>
  Math.min(...closes.map((close, index) => close / Math.max(...closes.slice(0, index + 1)) - 1));

function columns(
  word: string,
  p: readonly number[],
  bars: readonly Bar[],
  year: number,
): readonly Column[] {
  const s = columnsOf(bars);
  const n = Number(p[0]);
  const root = Math.sqrt(year);
  switch (word) {
    case "sma":
      return [over(s.close, n, mean)];
    case "ema":
      return [ema(s.close, n)];
    case "rsi": {
      const gain = wilder(
        s.change.map((x) => (x === null ? null : Math.max(x, 0))),
        n,
      );
      const loss = wilder(
        s.change.map((x) => (x === null ? null : Math.max(-x, 0))),
        n,
      );
      return [combine(gain, loss, (up, down) => (100 * up) / (up + down))];
    }
    case "atr":
      return [wilder(s.trueRange, n)];
    case "adx":
      return [adx(bars, s, n)];
    case "cci":
      return [
        over(s.typical, n, (x) => {
          const middle = mean(x);
          const unit = 0.015 * mean(x.map((one) => Math.abs(one - middle)));
          return unit === 0 ? 0 : (Number(x.at(-1)) - middle) / unit;
        }),
      ];
    case "mfi": {
      const flow = s.typical.map((typical, index) => {
        if (index === 0) return null;
        const sign = Math.sign(Number(typical) - Number(s.typical[index - 1]));
        return sign * Number(typical) * Number(bars[index]?.volume);
      });
      return [
        over(flow, n, (x) => {
          const up = x.filter((one) => one > 0).reduce((sum, one) => sum + one, 0);
          const all = x.reduce((sum, one) => sum + Math.abs(one), 0);
          return all === 0 ? 0 : (100 * up) / all;
        }),
      ];
    }
    case "volatility":
      return [over(s.logReturns, n, (x) => deviation(x, n - 1) * root)];
    case "sharpe":
      return [over(s.returns, n, (x) => (mean(x) / deviation(x, n - 1)) * root)];
    case "sortino":
      return [
        over(s.returns, n, (x) => {
          const below = Math.sqrt(mean(x.map((one) => Math.min(one, 0) ** 2)));
          return below === 0 ? null : (mean(x) / below) * root;
        }),
      ];
    case "calmar":
      return [
        over(s.close, n + 1, (x) => {
          const depth = deepestOf(x);
          return depth === 0
            ? null
            : ((Number(x.at(-1)) / Number(x[0])) ** (year / n) - 1) / -depth;
        }),
      ];
    case "var":
      return [over(s.returns, Number(p[1]), (x) => quantile(x, 1 - n / 100))];
    case "cvar":
      return [
        over(s.returns, Number(p[1]), (x) =>
          mean(x.filter((one) => one <= quantile(x, 1 - n / 100))),
        ),
      ];
    case "return":
      return [s.returns];
    case "logReturn":
      return [s.logReturns];
    case "drawdown":
      return [
        s.close.map(
          (close, index) =>
            Number(close) / Math.max(...s.close.slice(0, index + 1).map(Number)) - 1,
        ),
      ];
    case "obv": {
      let total = 0;
      return [
        bars.map(({ volume }, index) => {
          total +=
            index === 0 ? Number(volume) : Math.sign(Number(s.change[index])) * Number(volume);
          return total;
        }),
      ];
    }
    case "macd": {
      const [fast = 0, slow = 0, signal = 0] = p;
      const late = s.close.map((close, index) => (index < slow - fast ? null : close));
      const line = combine(ema(late, fast), ema(s.close, slow), (x, y) => x - y);
      const average = ema(line, signal);
      return [combine(line, average, (x) => x), average, combine(line, average, (x, y) => x - y)];
    }
    case "bb": {
      const middle = over(s.close, n, mean);
      const band = over(s.close, n, (x) => Number(p[1]) * deviation(x, n));
      return [
        combine(middle, band, (x, y) => x + y),
        middle,
        combine(middle, band, (x, y) => x - y),
      ];
    }
    case "stoch": {
      const fast = s.close.map((close, index) => {
        const highs = lastOf(s.high, index, n);
        const lows = lastOf(s.low, index, n);
        if (highs === null || lows === null) return null;
        const bottom = Math.min(...lows);
        return (100 * (Number(close) - bottom)) / (Math.max(...highs) - bottom);
      });
      const k = over(fast, Number(p[1]), mean);
      const d = over(k, Number(p[2]), mean);
      return [combine(k, d, (x) => x), d];
    }
    default:
      throw new Error(`nobody has written ${word} slowly yet`);
  }
}

/** Per bar the values of each output of the indicator with this name. */
export function slowValues(
  name: string,
  bars: readonly Bar[],
  periodsPerYear: number,
): (number | null)[][] {
  const [, word = "", numbers = ""] = /^([A-Za-z]+)(.*)$/.exec(name) ?? [];
  const parameters = numbers === "" ? [] : numbers.split("_").map(Number);
  const found = columns(word, parameters, bars, periodsPerYear);
  return bars.map((_, index) => found.map((column) => column[index] ?? null));
}
