import type { Advice } from "../rules-engine.ts";

/** Why a language model did not answer, in the words people are told. */
export const FALLBACK_REASONS = {
  timeout: "it did not answer in time",
  rateLimited: "it answered that it is asked too often",
  unavailable: "it is out of order",
  malformed: "it answered something that is no answer of a model",
  breakerOpen: "it failed several times in a row and is left alone for a while",
  rejected: "it refused our request",
  notConfigured: "none is configured",
  budget: "the day's budget is used up",
  unreadable: "its answer had not the form that was asked for",
  guardrail: "its answer did not pass the checks",
  dryRun: "none is asked in a dry run",
} as const;
export type FallbackReason = keyof typeof FALLBACK_REASONS;
export const isFallbackReason = (text: string): text is FallbackReason =>
  Object.hasOwn(FALLBACK_REASONS, text);

/** The rules' advice where a model's was wanted: it says so. */
export const withFallback = (advice: Advice, reason: FallbackReason): Advice => ({
  ...advice,
  caveats: [
    ...advice.caveats,
    `A language model was to answer, but ${FALLBACK_REASONS[reason]}. These are the deterministic rules instead.`,
  ],
});
