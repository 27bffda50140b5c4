import type { Context } from "hono";
import * as z from "zod";
import { queueWord } from "../../domain/dead-letter/queue-word.ts";
import { iso } from "../../domain/iso.ts";
import { shownSubject } from "../../domain/job/job.ts";
import { type MessageSubject, subjectOf } from "../../queues/messages.ts";
import {
  findDeadLetter,
  type StoredDeadLetter,
} from "../../records/dead-letters/dead-letter-reads.ts";
import { DEAD_LETTER_STATES } from "../../records/dead-letters/dead-letter-states.ts";
import { writeAudit } from "../../records/operations/audit.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { instantSchema, symbolSchema } from "../http/schemas.ts";

export const deadLetterView = z
  .object({
    id: z.string(),
    queue: z.string(),
    subject: z.string().nullable(),
    symbol: z.string().nullable(),
    portfolioId: z.string().nullable().meta({ description: "when it is about a portfolio's job" }),
    backtestId: z.string().nullable().meta({ description: "when it is about a backtest's job" }),
    crossCheckId: z
      .string()
      .nullable()
      .meta({ description: "when it is about a cross-check's job" }),
    body: z.unknown(),
    error: z.looseObject({ code: z.string(), detail: z.string() }),
    attempts: z.number(),
    firstAt: z.string().meta({ description: "when its work failed for the first time" }),
    lastAt: z.string().meta({ description: "when its work failed for the last time" }),
    fingerprint: z
      .string()
      .nullable()
      .meta({ description: "the same for all letters of one cause" }),
    faultClass: z.string().nullable(),
    state: z.enum(DEAD_LETTER_STATES),
    editedFrom: z.string().nullable(),
    editedTo: z.string().nullable(),
    reason: z.string().nullable(),
    actor: z.string().nullable().meta({ description: "who did something to it last" }),
    traceparent: z.string().nullable(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "DeadLetter" });

export const showDeadLetter = (deadLetter: StoredDeadLetter): z.infer<typeof deadLetterView> => ({
  ...deadLetter,
  ...(deadLetter.symbol === null
    ? { portfolioId: null, backtestId: null, crossCheckId: null }
    : shownSubject(deadLetter.symbol)),
  error: { ...deadLetter.error },
  firstAt: iso(deadLetter.firstAt),
  lastAt: iso(deadLetter.lastAt),
  createdAt: iso(deadLetter.createdAt),
  updatedAt: iso(deadLetter.updatedAt),
});

export const deadLetterParams = z.object({ id: z.string().min(1).max(100) });

export const deadLetterFilter = {
  queue: z
    .string()
    .min(1)
    .max(100)
    .transform(queueWord)
    .optional()
    .meta({ description: "as in the letter; a kind of job stands for its queue" }),
  symbol: symbolSchema.optional(),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{16}$/, "16 hex digits, as in the letter")
    .optional(),
  after: instantSchema.optional(),
  before: instantSchema.optional(),
};

export const reasonSchema = z.string().trim().min(3, "say why, in a few words").max(500);

export async function requireDeadLetter(db: D1Database, id: string): Promise<StoredDeadLetter> {
  const deadLetter = await findDeadLetter(db, id);
  if (deadLetter === null) throw new ApiProblem("not_found", `There is no dead letter ${id}.`);
  return deadLetter;
}

export async function requireOpen(db: D1Database, id: string): Promise<StoredDeadLetter> {
  const deadLetter = await requireDeadLetter(db, id);
  if (deadLetter.state !== "open") throw notOpen(deadLetter);
  return deadLetter;
}

export const notOpen = ({ state, editedTo }: StoredDeadLetter): ApiProblem =>
  new ApiProblem(
    "conflict",
    `The dead letter is ${state} already${editedTo === null ? "" : `; it was edited into ${editedTo}`}.`,
  );

/** What a letter's message is about; refuses one that no queue carries. */
export function requireSubject(
  body: unknown,
): MessageSubject & { queue: NonNullable<MessageSubject["queue"]> } {
  const { queue, ...about } = subjectOf(body);
  if (queue !== null) return { queue, ...about };
  throw new ApiProblem(
    "validation_failed",
    "The message has the shape of no queue; mend its body first.",
    [{ field: "body", reason: "not a message any queue carries" }],
  );
}

export interface Effect {
  readonly action: string;
  readonly subject: string;
  readonly outcome?: string;
  readonly detail?: string | null;
}

/** The audit rows of what the caller does. `from` may let through only some of them. */
export function auditOf(
  c: Context<ApiEnv>,
  effects: readonly Effect[],
  from?: string,
): D1PreparedStatement {
  const { api, DB } = c.env;
  const row = {
    at: api.now(),
    actor: c.get("caller").id,
    outcome: "done",
    detail: null,
    traceparent: api.traceparent,
  };
  return writeAudit(
    DB,
    effects.map((effect) => ({ ...row, ...effect, id: api.newId() })),
    from,
  );
}

/** Does something to letters and, if what is there forbids it, puts that on record too. */
export async function onRecord<T>(
  c: Context<ApiEnv>,
  action: string,
  subject: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (
      error instanceof ApiProblem &&
      (error.code === "conflict" || error.code === "plan_changed")
    ) {
      await auditOf(c, [{ action, subject, outcome: "refused", detail: error.message }]).run();
    }
    throw error;
  }
}
