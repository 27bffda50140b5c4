import { portfolioStream } from "../../domain/events/envelope.ts";
import { barSource } from "../../domain/market/bar-source.ts";
import { portfolioFact } from "../../domain/portfolio/portfolio-fact.ts";
import { causeOf } from "../../queues/command.ts";
import type { PortfolioDeps } from "../../queues/portfolios/optimization.ts";
import { versionedCloses } from "../../read-model/portfolio-closes.ts";
import { splitAdjusted } from "../../read-model/split-adjusted.ts";
import {
  NO_RESULT_YET,
  resultOf,
  writeResult,
} from "../../records/analysis/optimization-records.ts";
import { findPortfolio } from "../../records/analysis/portfolio-records.ts";
import { loadAssets } from "../../records/assets/asset-records.ts";
import { announceFacts, type Fact, recordFacts } from "../facts.ts";
import type { Platform } from "../platform/platform.ts";

export function portfolioDeps(p: Platform): PortfolioDeps {
  const { DB } = p.env;
  return {
    portfolio: async (id) => {
      const found = await findPortfolio(DB, id);
      if (found === null) return null;
      const { symbols, resolution, optimization, archivedAt } = found;
      return { symbols, resolution, optimization, archived: archivedAt !== null };
    },
    assets: async (symbols) =>
      (await loadAssets(DB, symbols)).map((asset) => ({
        symbol: asset.symbol,
        type: asset.type,
        calendar: asset.calendar,
        currency: asset.currency,
        source: barSource(asset),
        archived: asset.archivedAt !== null,
      })),
    closes: (symbols, query) =>
      splitAdjusted(DB, symbols, query.resolution, (some) => versionedCloses(DB, some, query)),
    existingResult: (jobId) => resultOf(DB, jobId),
    record: async (job, portfolioId, result) => {
      const now = p.now();
      const fact: Fact = {
        eventType: "PortfolioOptimized",
        payload: portfolioFact(result),
        streamId: portfolioStream(portfolioId),
        cause: causeOf(job),
      };
      await DB.batch([
        ...recordFacts(p, [fact], now, NO_RESULT_YET),
        writeResult(DB, { id: job.id, portfolioId, createdAt: job.createdAt }, result, now),
      ]);
      await announceFacts(p, [fact]);
      return (await resultOf(DB, job.id)) ?? result;
    },
    hash: p.hash,
    codeVersion: p.config.CODE_VERSION,
  };
}
