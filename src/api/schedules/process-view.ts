import * as z from "zod";
import { iso, isoOrNull } from "../../domain/iso.ts";
import { definitionOf, PROCESS_KINDS } from "../../domain/process/kinds.ts";
import type { ProcessRecord } from "../../domain/process/process.ts";
import { DIRECTIONS, PROCESS_STATES, STEP_STATES } from "../../domain/process/state.ts";

const problemView = z.looseObject({ code: z.string(), detail: z.string() }).nullable();

export const processView = z
  .object({
    id: z.string(),
    kind: z.enum(PROCESS_KINDS),
    state: z.enum(PROCESS_STATES),
    direction: z.enum(DIRECTIONS),
    currentStep: z
      .string()
      .nullable()
      .meta({ description: "the step in work; null once it has ended" }),
    input: z.unknown(),
    steps: z.array(
      z.object({
        name: z.string(),
        state: z.enum(STEP_STATES),
        compensable: z.boolean().meta({ description: "whether there is anything to take back" }),
        result: z.unknown(),
        attempts: z.array(
          z.object({
            direction: z.enum(DIRECTIONS),
            startedAt: z.string(),
            endedAt: z.string(),
            outcome: z.enum(["done", "later", "refused"]),
            error: problemView,
          }),
        ),
      }),
    ),
    error: problemView.meta({ description: "why it is being taken back or stuck" }),
    nextAt: z.string().nullable(),
    actor: z.string(),
    traceparent: z
      .string()
      .nullable()
      .meta({ description: "W3C Trace Context of what started it" }),
    createdAt: z.string(),
    updatedAt: z.string(),
    finishedAt: z.string().nullable(),
  })
  .meta({ id: "Process" });

export const showProcess = (process: ProcessRecord): z.infer<typeof processView> => {
  const { progress } = process;
  const { steps } = definitionOf(process.kind);
  return {
    id: process.id,
    kind: process.kind,
    state: progress.state,
    direction: progress.direction,
    currentStep:
      progress.finishedAt === null ? (progress.steps[progress.step]?.name ?? null) : null,
    input: process.input,
    steps: progress.steps.map((step, index) => ({
      name: step.name,
      state: step.state,
      compensable: (steps[index]?.compensation ?? null) !== null,
      result: step.result,
      attempts: step.attempts.map((attempt) => ({
        ...attempt,
        startedAt: iso(attempt.startedAt),
        endedAt: iso(attempt.endedAt),
        error:
          attempt.error === null
            ? null
            : { code: attempt.error.code, detail: attempt.error.detail },
      })),
    })),
    error:
      progress.error === null ? null : { code: progress.error.code, detail: progress.error.detail },
    nextAt: isoOrNull(progress.dueAt),
    actor: process.actor,
    traceparent: process.traceparent,
    createdAt: iso(process.createdAt),
    updatedAt: iso(process.updatedAt),
    finishedAt: isoOrNull(progress.finishedAt),
  };
};
