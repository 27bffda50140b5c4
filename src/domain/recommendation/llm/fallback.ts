import type { Advice } from "../rules-engine.ts";

/** Reasons why a language model did not answer, in words for users. */
export const FALLBACK_REASONS = {
  timeout: "it did not answer in time",
  rateLimited: "it is rate limited",
  unavailable: "it is unavailable",
  malformed: "its response could not be read",
  breakerOpen: "it failed several times in a row and is left alone for a while",
  rejected: "it refused our request",
  notConfigured: "none is configured",
  budget: "the day's budget is used up",
  unreadable: "its answer did not have the required form",
  guardrail: "its answer did not pass the checks",
  dryRun: "none is asked in a dry run",
} as const;
export type FallbackReason = keyof typeof FALLBACK_REASONS;
export const isFallbackReason = (text: string): text is FallbackReason =>
  Object.hasOwn(FALLBACK_REASONS, text);

/** The rules' advice in place of a model's, marked as such. */
export const withFallback = (advice: Advice, reason: FallbackReason): Advice => ({
  ...advice,
  caveats: [
    ...advice.caveats,
    `A language model was to answer, but ${FALLBACK_REASONS[reason]}. These are the deterministic rules instead.`,
  ],
});
