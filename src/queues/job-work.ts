import type {
  EvaluationsResult,
  IndicatorsCommand,
  IndicatorsResult,
  IngestCommand,
  IngestResult,
  RecommendationResult,
  RecordRecommendationCommand,
  ResolveCommand,
} from "../domain/asset/commands.ts";
import type { NewEvent } from "../domain/events/envelope.ts";
import type { JobHandler } from "./consumer.ts";

/**
 * How a kind of job is done. Its facts stand in src/domain/job/kinds; the line that binds this to
 * the platform in src/wiring/consumers/job-works.ts.
 */
export interface JobWork<D> {
  readonly handler: (deps: D) => JobHandler;
  /** The same deps, with what they would write handed to the preview instead. */
  readonly dryRun: (deps: D, preview: WorkPreview) => D;
}

/**
 * Takes what a dry run would write, and tells what that would come to. The asset's object runs the
 * very same commit and undoes it.
 */
export interface WorkPreview {
  readonly ingest: (command: IngestCommand) => Promise<IngestResult>;
  readonly indicators: (command: IndicatorsCommand) => Promise<IndicatorsResult>;
  readonly recommendation: (command: RecordRecommendationCommand) => Promise<RecommendationResult>;
  readonly evaluations: (command: ResolveCommand) => Promise<EvaluationsResult>;
  /** An event that is written in D1, and what its job would answer then. */
  readonly event: <T>(event: NewEvent, result: T) => T;
  /** The same at every look, so that two looks at the same state give the same plan. */
  readonly newId: () => string;
}
