import type { AssetType } from "../market/asset-type.ts";
import type { Resolution } from "../market/resolution.ts";
import type { ProcessDefinition } from "./definition.ts";

/** Input of an onboarding, with every default filled in. */
export interface OnboardAssetInput {
  readonly symbol: string;
  readonly type: AssetType;
  readonly currency: string;
  readonly calendar: string;
  readonly source: string;
  readonly live: boolean;
  /** The series to fetch; none for an asset that is only fed by import. */
  readonly resolutions: readonly Resolution[];
}

/** Writes to our own stores, whose failures pass within minutes. */
const quick = {
  retry: { type: "backoff", attempts: 5, baseSeconds: 2, capSeconds: 60 },
  boundSeconds: 900,
} as const;

/** Steps that wait for a job, which has retries of its own; here only the lookup can fail. */
const waitsForJob = (boundSeconds: number) => ({ ...quick, boundSeconds });

/**
 * From a symbol to a watched asset with its first recommendation. If a later step fails for good,
 * every step that began is compensated: open jobs are cancelled and the asset is archived, so that
 * no half onboarded asset remains.
 */
export const ONBOARD_ASSET: ProcessDefinition = {
  steps: [
    { name: "register", ...quick, compensation: quick },
    // A vendor that limits us may put the job off for hours.
    { name: "backfill", ...waitsForJob(6 * 3600), compensation: waitsForJob(3600) },
    { name: "indicators", ...waitsForJob(3600), compensation: waitsForJob(3600) },
    { name: "firstRecommendation", ...waitsForJob(3600), compensation: waitsForJob(3600) },
    { name: "notify", ...quick, compensation: quick },
  ],
};
