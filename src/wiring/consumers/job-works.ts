import { EventPlan, type PlannedEvents } from "../../domain/dead-letter/plan.ts";
import { EVENT_TYPES } from "../../domain/events/catalogue.ts";
import type { JobKind } from "../../domain/job/job-kinds.ts";
import { evaluationWork } from "../../queues/analysis/evaluations.ts";
import { indicatorsWork } from "../../queues/analysis/indicators.ts";
import { rankingWork } from "../../queues/analysis/ranking.ts";
import { recommendationWork } from "../../queues/analysis/recommendations.ts";
import type { JobHandler } from "../../queues/consumer.ts";
import { crossCheckWork } from "../../queues/ingest/cross-check.ts";
import { ingestWork } from "../../queues/ingest/ingest.ts";
import type { JobWork, WorkPreview } from "../../queues/job-work.ts";
import { backtestWork } from "../../queues/portfolios/backtest.ts";
import { optimizationWork } from "../../queues/portfolios/optimization.ts";
import { assetObject, type Platform } from "../platform/platform.ts";
import { backtestDeps } from "./backtests.ts";
import { crossCheckDeps } from "./cross-checks.ts";
import { evaluationDeps, indicatorsDeps, ingestDeps, recommendationDeps } from "./jobs.ts";
import { modelPreview } from "./models.ts";
import { portfolioDeps } from "./portfolios.ts";
import { rankingDeps } from "./ranking.ts";

interface BoundWork {
  readonly handler: (p: Platform) => JobHandler;
  readonly dryRun: (p: Platform, preview: WorkPreview) => JobHandler;
}

/** `looking` stands for the deps in a dry run, where another part of them has a preview. */
const bound = <D>(
  work: JobWork<D>,
  deps: (p: Platform) => D,
  looking: (p: Platform) => D = deps,
): BoundWork => ({
  handler: (p) => work.handler(deps(p)),
  dryRun: (p, preview) => work.handler(work.dryRun(looking(p), preview)),
});

/** How each kind of job is done, one line each. */
const WORKS = {
  ingest: bound(ingestWork, ingestDeps),
  indicators: bound(indicatorsWork, indicatorsDeps),
  recommendation: bound(recommendationWork, recommendationDeps, (p) => ({
    ...recommendationDeps(p),
    ...modelPreview(p),
  })),
  evaluation: bound(evaluationWork, evaluationDeps),
  ranking: bound(rankingWork, rankingDeps),
  optimization: bound(optimizationWork, portfolioDeps),
  backtest: bound(backtestWork, backtestDeps),
  cross_check: bound(crossCheckWork, crossCheckDeps),
} satisfies Readonly<Record<JobKind, BoundWork>>;

/** The handlers of all kinds, each made when its first job comes. */
export function handlersOf(p: Platform): (kind: JobKind) => JobHandler {
  const made = new Map<JobKind, JobHandler>();
  return (kind) => {
    const handler = made.get(kind) ?? WORKS[kind].handler(p);
    made.set(kind, handler);
    return handler;
  };
}

const NO_ID = "00000000-0000-0000-0000-000000000000";

/** The handler of a kind that keeps nothing; `planned` tells what it would have written. */
export function lookingHandler(
  p: Platform,
  kind: JobKind,
): { readonly handler: JobHandler; readonly planned: () => PlannedEvents | null } {
  let planned: PlannedEvents | null = null;
  const keep = <T>(preview: { readonly result: T; readonly planned: string }): T => {
    planned = JSON.parse(preview.planned) as PlannedEvents;
    return preview.result;
  };
  const object = (symbol: string) => assetObject(p.env, symbol);
  const preview: WorkPreview = {
    ingest: async (command) => keep(await object(command.symbol).previewIngest(command)),
    indicators: async (command) => keep(await object(command.symbol).previewIndicators(command)),
    recommendation: async (command) =>
      keep(await object(command.symbol).previewRecommendation(command)),
    evaluations: async (command) => keep(await object(command.symbol).previewEvaluations(command)),
    event: (event, result) => {
      const plan = new EventPlan();
      plan.add({ ...event, schemaVersion: EVENT_TYPES[event.eventType].schemaVersion });
      planned = plan.planned();
      return result;
    },
    newId: () => NO_ID,
  };
  return { handler: WORKS[kind].dryRun(p, preview), planned: () => planned };
}
