import * as z from "zod";
import { type JobRecord, jobId } from "../../domain/job/job.ts";
import type { JobKind } from "../../domain/job/job-kinds.ts";
import { ASSET_TYPES } from "../../domain/market/asset-type.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { done, refused } from "../../domain/outcome.ts";
import type { StepOutcome } from "../../domain/process/decide.ts";
import type { OnboardAssetInput } from "../../domain/process/onboard-asset.ts";
import type { ProcessRecord } from "../../domain/process/process.ts";
import type { StepAction } from "./processes.ts";

/**
 * The process and the step an effect belongs to: repeated under the same key it changes nothing.
 */
export interface Effect {
  readonly key: string;
  readonly process: ProcessRecord;
}

export interface OnboardAssetDeps {
  /** Whether the asset is watched, and whether the process had the effect of that key. */
  readonly standing: (
    symbol: string,
    processId: string,
    key: string,
  ) => Promise<{ readonly watched: boolean; readonly ours: boolean }>;
  readonly register: (effect: Effect, input: OnboardAssetInput) => Promise<void>;
  readonly archive: (effect: Effect, symbol: string) => Promise<void>;
  /** Orders a job for each series; those that are ordered already stay as they are. */
  readonly enqueueBackfill: (
    effect: Effect,
    input: OnboardAssetInput,
    ids: readonly string[],
  ) => Promise<void>;
  readonly jobs: (ids: readonly string[]) => Promise<readonly JobRecord[]>;
  readonly cancelJobs: (effect: Effect, symbol: string, ids: readonly string[]) => Promise<void>;
  readonly hasRecommendation: (symbol: string) => Promise<boolean>;
  readonly notify: (effect: Effect, subject: string, text: string) => Promise<void>;
}

const inputSchema = z.object({
  symbol: z.string(),
  type: z.enum(ASSET_TYPES),
  currency: z.string(),
  calendar: z.string(),
  source: z.string(),
  live: z.boolean(),
  resolutions: z.array(z.enum(RESOLUTIONS)),
});

/**
 * What a step that waits for jobs came to: the jobs that follow from them, and whether there is
 * anything to follow.
 */
const waitedSchema = z.object({ follow: z.array(z.string()), anything: z.boolean() });
type Waited = z.infer<typeof waitedSchema>;

/**
 * A job's result, as far as it says what follows: how far the stream reached, and whether anything
 * changed.
 */
const ingested = z.object({ added: z.number(), revised: z.number(), head: z.number() });
const computed = z.object({ computed: z.number(), head: z.number() });

/** The steps of `onboardAsset`, each forward and backward. */
export const onboardAsset =
  (deps: OnboardAssetDeps): StepAction =>
  async (process) => {
    const input = inputSchema.parse(process.input);
    const { direction, step, steps } = process.progress;
    const name = steps[step]?.name ?? "";
    const back = direction === "backward";
    const effect: Effect = { process, key: back ? `${name}/back` : name };
    switch (name) {
      case "register":
        return back ? unregister(deps, effect, input) : register(deps, effect, input);
      case "backfill": {
        const ids = backfillIds(process, input);
        return back
          ? stopJobs(deps, effect, input.symbol, ids)
          : backfill(deps, effect, input, ids);
      }
      case "indicators":
        return back
          ? stopJobs(deps, effect, input.symbol, waitedFor(process, "backfill").follow)
          : afterJobs(deps, input, waitedFor(process, "backfill"), "recommendation");
      case "firstRecommendation":
        return back
          ? stopJobs(deps, effect, input.symbol, waitedFor(process, "indicators").follow)
          : firstRecommendation(deps, input, waitedFor(process, "indicators"));
      case "notify":
        await deps.notify(effect, ...(back ? correction(process, input) : welcome(process, input)));
        return done(null);
      default:
        return refused({
          code: "message.contract_violation",
          detail: `onboardAsset has no step "${name}"`,
        });
    }
  };

async function register(
  deps: OnboardAssetDeps,
  effect: Effect,
  input: OnboardAssetInput,
): Promise<StepOutcome> {
  const { watched, ours } = await deps.standing(input.symbol, effect.process.id, effect.key);
  if (ours) return done(null);
  if (watched) {
    return refused({
      code: "asset_exists",
      detail: `${input.symbol} was registered by somebody else meanwhile`,
    });
  }
  await deps.register(effect, input);
  return done(null);
}

/**
 * Only what this process registered is archived; an asset that was there before is not ours to
 * touch.
 */
async function unregister(
  deps: OnboardAssetDeps,
  effect: Effect,
  { symbol }: OnboardAssetInput,
): Promise<StepOutcome> {
  const { watched, ours } = await deps.standing(symbol, effect.process.id, "register");
  if (watched && ours) await deps.archive(effect, symbol);
  return done(null);
}

const backfillIds = ({ id }: ProcessRecord, { symbol, resolutions }: OnboardAssetInput): string[] =>
  resolutions.map((resolution) =>
    jobId("ingest", symbol, `${id.replaceAll("|", ":")}:${resolution}`),
  );

async function backfill(
  deps: OnboardAssetDeps,
  effect: Effect,
  input: OnboardAssetInput,
  ids: readonly string[],
): Promise<StepOutcome> {
  const known = await deps.jobs(ids);
  if (known.length < ids.length) {
    await deps.enqueueBackfill(effect, input, ids);
    return { kind: "waiting" };
  }
  return afterJobs(deps, input, { follow: [...ids], anything: true }, "indicators");
}

/**
 * Waits until jobs have ended well, and tells the jobs of the next kind that their events ask for.
 */
async function afterJobs(
  deps: OnboardAssetDeps,
  { symbol }: OnboardAssetInput,
  { follow: ids, anything }: Waited,
  next: JobKind,
): Promise<StepOutcome> {
  const jobs = await deps.jobs(ids);
  const ended = endOf(jobs, ids);
  if (ended !== null) return ended;
  const heads = jobs.flatMap(({ result }) => headOf(result));
  const follow = heads.map((head) => jobId(next, symbol, `v${head}`));
  const value: Waited = {
    follow,
    anything: anything && (next === "recommendation" || follow.length > 0),
  };
  return done(value);
}

/** Null when every job has succeeded; otherwise what that means for a step that needs them all. */
function endOf(jobs: readonly JobRecord[], ids: readonly string[]): StepOutcome | null {
  const bad = jobs.find(({ state }) => state === "failed" || state === "cancelled");
  if (bad !== undefined) {
    return refused({
      code: "job_failed",
      detail: `${bad.id} ${bad.state}: ${bad.error?.detail ?? "by hand"}`,
    });
  }
  const good = jobs.filter(({ state }) => state === "succeeded");
  return good.length < ids.length ? { kind: "waiting" } : null;
}

/** The version that a job's commit reached, when it committed anything. */
function headOf(result: unknown): number[] {
  const bars = ingested.safeParse(result);
  if (bars.success) return bars.data.added + bars.data.revised > 0 ? [bars.data.head] : [];
  const values = computed.safeParse(result);
  return values.success && values.data.computed > 0 ? [values.data.head] : [];
}

async function firstRecommendation(
  deps: OnboardAssetDeps,
  { symbol }: OnboardAssetInput,
  { follow, anything }: Waited,
): Promise<StepOutcome> {
  // A series without a bar has nothing to recommend; the step after tells so.
  if (!anything) return done({ recommended: false });
  if (follow.length > 0) {
    return endOf(await deps.jobs(follow), follow) ?? done({ recommended: true });
  }
  // Another job had computed these bars already, so the recommendation is another's as well.
  return (await deps.hasRecommendation(symbol)) ? done({ recommended: true }) : { kind: "waiting" };
}

/** Cancels what waits; what is running is let finish. */
async function stopJobs(
  deps: OnboardAssetDeps,
  effect: Effect,
  symbol: string,
  ids: readonly string[],
): Promise<StepOutcome> {
  await deps.cancelJobs(effect, symbol, ids);
  const jobs = await deps.jobs(ids);
  return jobs.some(({ finishedAt }) => finishedAt === null) ? { kind: "waiting" } : done(null);
}

function waitedFor({ progress }: ProcessRecord, name: string): Waited {
  const waited = waitedSchema.safeParse(progress.steps.find((step) => step.name === name)?.result);
  return waited.success ? waited.data : { follow: [], anything: false };
}

function welcome({ progress }: ProcessRecord, { symbol }: OnboardAssetInput): [string, string] {
  const result = progress.steps.find(({ name }) => name === "firstRecommendation")?.result;
  const recommended = z.object({ recommended: z.literal(true) }).safeParse(result).success;
  const text = recommended
    ? `${symbol} is watched and has its first recommendation.`
    : `${symbol} is watched; it has no bars yet, so there is no recommendation.`;
  return [`${symbol} is onboarded`, text];
}

const correction = (
  { progress }: ProcessRecord,
  { symbol }: OnboardAssetInput,
): [string, string] => [
  `${symbol} is not onboarded after all`,
  `The earlier message about ${symbol} no longer holds: ${progress.error?.detail ?? "it was taken back"}.`,
];
