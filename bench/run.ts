/**
 * `npm run bench [-- indicators | optimiser | backtest | pipeline]`: every benchmark, or one of
 * them, a table each. `npm run bench -- pipeline --assets 100` passes arguments on.
 */
import { backtestBench } from "./backtest/backtest.ts";
import { indicatorsBench } from "./indicators/indicators.ts";
import { pipelineBench } from "./pipeline/pipeline.ts";
import { optimiserBench } from "./portfolio/optimiser.ts";

const [first = "", ...rest] = process.argv.slice(2);
const named = ["indicators", "optimiser", "backtest", "pipeline"].includes(first);
const wanted = (name: string): boolean => !named || first === name;

if (wanted("indicators")) indicatorsBench();
if (wanted("optimiser")) optimiserBench();
if (wanted("backtest")) backtestBench();
if (wanted("pipeline")) await pipelineBench(named ? rest : process.argv.slice(2));
