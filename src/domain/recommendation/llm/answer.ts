import type { Action, RiskLevel } from "../recommendation.ts";

/**
 * A language model's answer to a snapshot, before the checks. It computes nothing that is
 * published.
 */
export interface ModelAnswer {
  readonly action: Action;
  /** The evidence it rests on, by id, and the weight of each (0..1, any sum). */
  readonly evidence: readonly { readonly id: string; readonly weight: number }[];
  readonly riskLevel: RiskLevel;
  readonly summary: string;
  readonly reasoning: readonly string[];
  readonly assumptions: readonly string[];
  readonly caveats: readonly string[];
  /**
   * Its own probability (0..1) that the action proves right. Kept in the audit, never published.
   */
  readonly confidence: number;
}

/** Max characters and items of an answer; the prompt has the same. */
export const ANSWER_LIMITS = {
  summary: { min: 20, max: 400 },
  sentence: 400,
  reasoning: { min: 1, max: 8 },
  assumptions: { min: 0, max: 5 },
  caveats: { min: 0, max: 8 },
  evidence: { min: 1, max: 12 },
} as const;

/** Every sentence of an answer, with its field. */
export const textsOf = (
  answer: ModelAnswer,
): readonly { readonly field: string; readonly text: string }[] => [
  { field: "summary", text: answer.summary },
  ...(["reasoning", "assumptions", "caveats"] as const).flatMap((list) =>
    answer[list].map((text, at) => ({ field: `${list}[${at}]`, text })),
  ),
];
