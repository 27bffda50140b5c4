import { backtestOf } from "../../domain/job/job.ts";
import { barSource } from "../../domain/market/bar-source.ts";
import type { BacktestDeps } from "../../queues/portfolios/backtest.ts";
import { versionedOpens } from "../../read-model/portfolio-closes.ts";
import { barsAndActions, splitAdjusted } from "../../read-model/split-adjusted.ts";
import {
  backtestResultOf,
  noteProgress,
  writeBacktest,
} from "../../records/analysis/backtest-records.ts";
import { loadAssets } from "../../records/assets/asset-records.ts";
import { marketTime } from "../../records/operations/clock-record.ts";
import type { Platform } from "../platform/platform.ts";

export function backtestDeps(p: Platform): BacktestDeps {
  const { DB } = p.env;
  return {
    asset: async (symbol) => {
      const asset = (await loadAssets(DB, [symbol]))[0];
      if (asset === undefined) return null;
      const { type, calendar, live, archivedAt } = asset;
      return { type, calendar, live, source: barSource(asset), archived: archivedAt !== null };
    },
    bars: (symbol, query) => barsAndActions(DB, symbol, query),
    assets: async (symbols) =>
      (await loadAssets(DB, symbols)).map((asset) => ({
        symbol: asset.symbol,
        type: asset.type,
        calendar: asset.calendar,
        currency: asset.currency,
        source: barSource(asset),
        archived: asset.archivedAt !== null,
      })),
    opens: (symbols, query) =>
      splitAdjusted(DB, symbols, query.resolution, (some) => versionedOpens(DB, some, query)),
    existingResult: (id) => backtestResultOf(DB, id),
    record: async (job, result) => {
      const id = backtestOf(job.symbol) ?? result.backtestId;
      const { id: jobId, createdAt } = job;
      await writeBacktest(DB, { id, jobId, createdAt }, result, p.now()).run();
      return (await backtestResultOf(DB, id)) ?? result;
    },
    progress: async (id, share) => {
      try {
        await noteProgress(DB, id, share).run();
      } catch (error) {
        p.log({
          level: "warn",
          message: "progress not noted",
          backtestId: id,
          error: String(error),
        });
      }
    },
    pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
    now: p.now,
    marketNow: () => marketTime(DB, p.config, p.now()),
    hash: p.hash,
    codeVersion: p.config.CODE_VERSION,
  };
}
