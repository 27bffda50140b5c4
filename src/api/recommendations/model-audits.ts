import * as z from "zod";
import { iso } from "../../domain/iso.ts";
import { AUDIT_OUTCOMES, type ModelAudit } from "../../domain/recommendation/llm/audit.ts";
import { CHECKS } from "../../domain/recommendation/llm/checks.ts";
import { auditsOf } from "../../records/analysis/model-records.ts";
import { operation, router } from "../http/schemas.ts";
import { requireRecommendation } from "./recommendations.ts";

const tokens = z.object({
  inputTokens: z.number().nullable(),
  outputTokens: z.number().nullable(),
});

const auditView = z
  .object({
    id: z.string(),
    jobId: z.string(),
    variant: z.string(),
    provider: z.string(),
    model: z.string(),
    promptVersion: z.string(),
    snapshotHash: z.string().meta({ description: "of everything that decides an answer" }),
    promptHash: z.string(),
    prompt: z.string(),
    tries: z.array(
      z.object({
        latencyMs: z.number(),
        response: z
          .string()
          .nullable()
          .meta({ description: "as it came; the first 32,000 characters" }),
        modelId: z.string().nullable(),
        finishReason: z.string().nullable(),
        usage: tokens,
        verdict: z.array(z.object({ check: z.enum(CHECKS), problems: z.array(z.string()) })),
        failure: z.object({ reason: z.string(), detail: z.string() }).nullable(),
      }),
    ),
    outcome: z.enum(AUDIT_OUTCOMES),
    reason: z.string().nullable().meta({ description: "why the rules answered instead" }),
    rawConfidence: z
      .number()
      .nullable()
      .meta({ description: "the model's own, before its record was asked" }),
    tokens: z.number().meta({ description: "counted against the day's budget" }),
    latencyMs: z.number(),
    traceparent: z.string().nullable(),
    createdAt: z.string(),
  })
  .meta({ id: "ModelAudit" });

const auditsView = z
  .object({ recommendationId: z.string(), items: z.array(auditView) })
  .meta({ id: "ModelAudits" });

const show = ({
  question: _question,
  recommendationId: _recommendation,
  symbol: _symbol,
  createdAt,
  tries,
  ...rest
}: ModelAudit): z.infer<typeof auditView> => ({
  ...rest,
  tries: tries.map((one) => ({
    ...one,
    verdict: one.verdict.map(({ check, problems }) => ({ check, problems: [...problems] })),
  })),
  createdAt: iso(createdAt),
});

/**
 * One recommendation's model is asked once or twice; more only after answers that came to nothing.
 */
const MAX_AUDITS = 20;

export const modelAudits = router();

modelAudits.openapi(
  operation(
    {
      method: "get",
      path: "/recommendations/{id}/audit",
      scope: "ops:read",
      summary:
        "What a language model was asked for a recommendation, what it said, and what the checks found",
      tag: "Recommendations",
    },
    { params: z.object({ id: z.uuid() }) },
    200,
    auditsView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    await requireRecommendation(c.get("reads"), id);
    const audits = await auditsOf(c.get("reads"), id, MAX_AUDITS);
    return c.json({ recommendationId: id, items: audits.map(show) }, 200);
  },
);
