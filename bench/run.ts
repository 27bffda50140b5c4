/**
 * `npm run bench [-- indicators | optimiser | backtest | pipeline]`: every benchmark, or one of
 * them, a table each. `npm run bench -- pipeline --assets 100` passes arguments on. The first two
 * need `npm ci --prefix bench` before.
 */
const [first = "", ...rest] = process.argv.slice(2);
const named = ["indicators", "optimiser", "backtest", "pipeline"].includes(first);
const wanted = (name: string): boolean => !named || first === name;

// Each is loaded when it runs: two of them need packages of bench/package.json.
if (wanted("indicators")) (await import("./indicators/indicators.ts")).indicatorsBench();
if (wanted("optimiser")) (await import("./portfolio/optimiser.ts")).optimiserBench();
if (wanted("backtest")) (await import("./backtest/backtest.ts")).backtestBench();
if (wanted("pipeline"))
  await (await import("./pipeline/pipeline.ts")).pipelineBench(
    named ? rest : process.argv.slice(2),
  );
