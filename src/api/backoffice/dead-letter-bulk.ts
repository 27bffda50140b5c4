import type { Context } from "hono";
import * as z from "zod";
import { isoOrNull } from "../../domain/iso.ts";
import {
  type DeadLetterInBulk,
  type Matching,
  matchDeadLetters,
} from "../../records/dead-letters/dead-letter-reads.ts";
import {
  discardDeadLetters,
  redriveDeadLetters,
  STILL_OPEN,
} from "../../records/dead-letters/dead-letter-records.ts";
import { type ReleasedJob, releaseNext } from "../../records/jobs/sequence-records.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { jsonBody, operation, router } from "../http/schemas.ts";
import { auditOf, deadLetterFilter, onRecord, reasonSchema } from "./dead-letter-views.ts";

/** Letters that one request deals with; the next request goes on. */
const MAX_AT_ONCE = 500;

const filterSchema = z.strictObject(deadLetterFilter);
type Filter = z.infer<typeof filterSchema>;

const expect = z.number().int().min(0).optional().meta({
  description: "how many letters are to match; without it they are only counted",
});

const redriveMany = z.strictObject({ filter: filterSchema, expect });

const discardMany = z
  .strictObject({ filter: filterSchema, expect, reason: reasonSchema.optional() })
  .refine((body) => body.expect === undefined || body.reason !== undefined, {
    message: "say why",
    path: ["reason"],
  });

const matchView = z.object({
  matching: z.number().meta({ description: "open letters that match" }),
  oldest: z.string().nullable(),
  newest: z.string().nullable(),
  assets: z.number(),
  done: z.number().meta({ description: "letters that this request dealt with" }),
  remaining: z.number().meta({ description: "letters that another request has to deal with" }),
});

const show = (
  { matching, assets, oldest, newest }: Matching,
  done: number,
): z.infer<typeof matchView> => ({
  matching,
  assets,
  oldest: isoOrNull(oldest),
  newest: isoOrNull(newest),
  done,
  remaining: matching - done,
});

export const deadLetterBulk = router();
const tag = "Backoffice";

deadLetterBulk.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/dead-letters/redrive",
      scope: "ops:write",
      summary:
        "Count the open dead letters a filter matches; with expect equal to the count, redrive them",
      tag,
    },
    jsonBody(redriveMany),
    200,
    matchView,
  ),
  async (c) => {
    const { filter, expect: expected } = c.req.valid("json");
    const { DB, api } = c.env;
    const action = "dead-letter.redrive-many";
    return onRecord(c, action, subjectFor(filter), async () => {
      const { count, first } = await matchDeadLetters(DB, filter, {
        sendable: true,
        take: MAX_AT_ONCE,
      });
      if (expected === undefined) return c.json(show(count, 0), 200);
      refuseOtherCount(count, expected);
      await sendFirst(c.env, first);
      const results = await DB.batch<{ id: string }>([
        auditEach(c, "dead-letter.redrive", first, JSON.stringify(filter)),
        auditOf(c, [
          { action, subject: subjectFor(filter), detail: `${first.length} of ${count.matching}` },
        ]),
        ...redriveDeadLetters(
          DB,
          first.map(({ id }) => id),
          c.get("caller").id,
          api.now(),
        ),
      ]);
      const redriven = new Set(results.at(-1)?.results.map(({ id }) => id));
      await wakeUp(
        c.env,
        first.filter(({ id }) => redriven.has(id)),
      );
      return c.json(show(count, redriven.size), 200);
    });
  },
);

deadLetterBulk.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/dead-letters/discard",
      scope: "ops:write",
      summary:
        "Count the open dead letters a filter matches; with expect equal to the count, discard them",
      tag,
    },
    jsonBody(discardMany),
    200,
    matchView,
  ),
  async (c) => {
    const { filter, expect: expected, reason = "" } = c.req.valid("json");
    const { DB, api } = c.env;
    const action = "dead-letter.discard-many";
    return onRecord(c, action, subjectFor(filter), async () => {
      const { count, first } = await matchDeadLetters(DB, filter, {
        sendable: false,
        take: MAX_AT_ONCE,
      });
      if (expected === undefined) return c.json(show(count, 0), 200);
      refuseOtherCount(count, expected);
      const ids = first.map(({ id }) => id);
      const symbols = first.flatMap(({ symbol }) => symbol ?? []);
      const [, , discarded, released] = await DB.batch<ReleasedJob>([
        auditEach(c, "dead-letter.discard", first, reason),
        auditOf(c, [{ action, subject: subjectFor(filter), detail: `${reason} (${ids.length})` }]),
        discardDeadLetters(DB, ids, { actor: c.get("caller").id, reason }, api.now()),
        releaseNext(DB, symbols, api.now()),
      ]);
      await api.enqueueJobs(released?.results ?? []);
      return c.json(show(count, discarded?.results.length ?? 0), 200);
    });
  },
);

const subjectFor = (filter: Filter): string => `dead-letters ${JSON.stringify(filter)}`;

const auditEach = (
  c: Context<ApiEnv>,
  action: string,
  deadLetters: readonly DeadLetterInBulk[],
  detail: string,
) =>
  auditOf(
    c,
    deadLetters.map(({ id }) => ({ action, subject: id, detail })),
    STILL_OPEN,
  );

function refuseOtherCount({ matching, more }: Matching, expected: number): void {
  if (more) {
    throw new ApiProblem(
      "validation_failed",
      `More than ${matching} dead letters match; narrow the filter.`,
      [{ field: "filter", reason: "matches too many dead letters" }],
    );
  }
  if (matching === expected) return;
  throw new ApiProblem("conflict", `${matching} dead letters match now, not ${expected}.`, [
    {
      field: "expect",
      reason: "another number of dead letters matches now",
      value: String(matching),
    },
  ]);
}

/** Events, slots and processes have no row that would be due, so their messages come before the record. */
async function sendFirst(
  { api }: ApiEnv["Bindings"],
  deadLetters: readonly DeadLetterInBulk[],
): Promise<void> {
  const bodies = deadLetters.flatMap(({ body }) => (body === null ? [] : [body]));
  if (bodies.length === 0) return;
  await api.sendAgain(bodies).catch((error: unknown) => {
    api.log({ level: "error", message: "redrive not sent", error: String(error) });
    throw new ApiProblem(
      "unavailable",
      "A queue did not take the messages; the dead letters are open.",
      [],
      {
        "retry-after": "5",
      },
    );
  });
}

/** Jobs and deliveries are due by now: the sweep finds what is lost here. */
async function wakeUp(
  { api }: ApiEnv["Bindings"],
  deadLetters: readonly DeadLetterInBulk[],
): Promise<void> {
  const jobs = deadLetters.flatMap(({ subject: id, symbol, kind }) =>
    id === null || symbol === null || kind === null ? [] : [{ id, symbol, kind }],
  );
  await api.enqueueJobs(jobs);
  await api.enqueueDeliveries(
    deadLetters.flatMap(({ queue, subject }) =>
      queue === "webhooks" && subject !== null ? [subject] : [],
    ),
  );
}
