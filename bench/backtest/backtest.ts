import type { Bar } from "../../src/domain/asset/bar.ts";
import { simulate } from "../../src/domain/backtest/simulate.ts";
import { rulesStrategy, type Target, targetsOf } from "../../src/domain/backtest/strategy.ts";
import { sp500 } from "../../test/domain/indicators/sp500.ts";
import { show, timings } from "../measure.ts";

const LONG = 100_000;
const COSTS = { costBps: 5, slippageBps: 5 };

/** Times following target positions over a long series, and computing those of the rules. */
export function backtestBench(): void {
  const days = sp500();
  const bars = Array.from({ length: LONG }, (_, n) => days[n % days.length]).filter(
    (bar): bar is Bar => bar !== undefined,
  );
  const turning = (every: number): Target[] =>
    bars.map((_, n) => (n % (2 * every) < every ? "long" : "flat"));
  const [often, seldom] = [turning(10), turning(100)];
  const follow = (targets: readonly Target[]) => () =>
    simulate(bars, targets, 0, COSTS).equity.at(-1);
  const followed = timings([
    { name: "targets followed, a trade every 20 bars", run: follow(often) },
    { name: "targets followed, a trade every 200 bars", run: follow(seldom) },
  ]);
  const rules = rulesStrategy("STOCK", "1d", "XNYS");
  const walked = timings(
    [{ name: "the rules' targets", run: () => targetsOf(rules, days).length }],
    {
      rounds: 5,
    },
  );
  for (const line of [
    "| backtest | ns per bar | undisturbed |",
    "|---|---:|---:|",
    ...[...followed].map(([name, timing]) => `| ${name} | ${show(timing, 1e6 / LONG)} |`),
    ...[...walked].map(([name, timing]) => `| ${name} | ${show(timing, 1e6 / days.length)} |`),
    "",
  ])
    console.log(line);
}
