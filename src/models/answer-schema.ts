import * as z from "zod";
import type { ModelAnswer } from "../domain/recommendation/llm/answer.ts";
import { ACTIONS, RISK_LEVELS } from "../domain/recommendation/recommendation.ts";

/**
 * The required form of an answer. Only features that every provider's structured output supports:
 * types, lists of values, required fields. Lengths, ranges and meaning are checked afterwards, the
 * same for all.
 */
export const answerSchema: z.ZodType<ModelAnswer> = z.object({
  action: z.enum(ACTIONS),
  evidence: z.array(z.object({ id: z.string(), weight: z.number() })),
  riskLevel: z.enum(RISK_LEVELS),
  summary: z.string(),
  reasoning: z.array(z.string()),
  assumptions: z.array(z.string()),
  caveats: z.array(z.string()),
  confidence: z.number(),
});

/** The problem with the form of an answer, in a sentence or two for the model. */
export function formProblem(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text.trim() === "" ? "the answer is empty" : "the answer is not one JSON object";
  }
  const parsed = answerSchema.safeParse(value);
  if (parsed.success) return "the answer could not be read";
  const issues = parsed.error.issues.slice(0, 5);
  return issues
    .map(({ path, message }) => `${path.join(".") || "answer"}: ${message}`)
    .join("; ")
    .slice(0, 400);
}
