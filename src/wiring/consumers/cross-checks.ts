import type { CrossCheckDeps } from "../../queues/ingest/cross-check.ts";
import { barsOfToday } from "../../read-model/split-adjusted.ts";
import { crossCheckResultOf, writeCrossCheck } from "../../records/assets/cross-check-records.ts";
import type { Platform } from "../platform/platform.ts";
import { ingestDeps } from "./jobs.ts";
import { otherSources } from "./sources.ts";

export function crossCheckDeps(p: Platform): CrossCheckDeps {
  const { DB } = p.env;
  const { asset, prices, now } = ingestDeps(p);
  return {
    asset,
    prices,
    now,
    others: (of) => otherSources(p, of),
    bars: (symbol, query) => barsOfToday(DB, symbol, query),
    found: (id) => crossCheckResultOf(DB, id),
    record: async (_job, id, result) => {
      await writeCrossCheck(DB, id, result, p.now()).run();
      return (await crossCheckResultOf(DB, id)) ?? result;
    },
  };
}
