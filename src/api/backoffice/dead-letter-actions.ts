import * as z from "zod";
import { planText } from "../../domain/dead-letter/plan.ts";
import {
  earlierOpenDeadLetter,
  type StoredDeadLetter,
} from "../../records/dead-letters/dead-letter-reads.ts";
import {
  discardDeadLetters,
  redriveDeadLetters,
  STILL_OPEN,
} from "../../records/dead-letters/dead-letter-records.ts";
import { type ReleasedJob, releaseNext } from "../../records/jobs/sequence-records.ts";
import { findDelivery } from "../../records/webhooks/delivery-reads.ts";
import { refuseUnlessEnabled } from "../events/deliveries.ts";
import type { ApiEnv } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import { jsonBody, operation, router } from "../http/schemas.ts";
import {
  auditOf,
  deadLetterParams,
  deadLetterView,
  notOpen,
  onRecord,
  reasonSchema,
  requireDeadLetter,
  requireOpen,
  requireSubject,
  showDeadLetter,
} from "./dead-letter-views.ts";

export const deadLetterActions = router();
const tag = "Backoffice";

const redriveBody = z.strictObject({
  planHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "64 hex digits, as a dry run gave them")
    .optional(),
});

deadLetterActions.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/dead-letters/{id}/redrive",
      scope: "ops:write",
      summary:
        "Put the work back on its queue; with planHash only if it would still do what the dry run told",
      tag,
    },
    {
      params: deadLetterParams,
      body: { required: false, content: { "application/json": { schema: redriveBody } } },
    },
    202,
    deadLetterView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { planHash } = c.req.valid("json") ?? {};
    const action = "dead-letter.redrive";
    const { DB, api } = c.env;
    return onRecord(c, action, id, async () => {
      const deadLetter = await requireOpen(DB, id);
      const { queue, kind, subject, symbol } = requireSubject(deadLetter.body);
      await refuseOutOfOrder(DB, deadLetter);
      if (queue === "webhooks" && subject !== null) await refuseUnwanted(DB, subject);
      if (planHash !== undefined) await refuseOtherPlan(c.env, deadLetter, planHash);
      // Events and slots have no row that would be due, so here the message comes first: sent twice
      // it changes nothing.
      if (queue === "events" || queue === "schedule" || queue === "processes")
        await sendAgain(c.env, deadLetter.body);
      const results = await DB.batch([
        auditOf(c, [{ action, subject: id, detail: planHash ?? null }], STILL_OPEN),
        ...redriveDeadLetters(DB, [id], c.get("caller").id, api.now()),
      ]);
      const after = await requireDeadLetter(DB, id);
      if ((results.at(-1)?.results.length ?? 0) === 0) throw notOpen(after);
      if (subject !== null && queue === "webhooks") await api.enqueueDeliveries([subject]);
      // A reconciliation that is open again is due at once: the sweep sends it the step it stands at.
      if (subject !== null && symbol !== null && kind !== null)
        await api.enqueueJobs([{ id: subject, kind, symbol, traceparent: deadLetter.traceparent }]);
      return c.json(showDeadLetter(after), 202);
    });
  },
);

deadLetterActions.openapi(
  operation(
    {
      method: "post",
      path: "/backoffice/dead-letters/{id}/discard",
      scope: "ops:write",
      summary: "Close a dead letter without doing its work; what waits behind it runs",
      tag,
    },
    { params: deadLetterParams, ...jsonBody(z.strictObject({ reason: reasonSchema })) },
    200,
    deadLetterView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { reason } = c.req.valid("json");
    const action = "dead-letter.discard";
    const { DB, api } = c.env;
    return onRecord(c, action, id, async () => {
      const { symbol } = await requireOpen(DB, id);
      const [, discarded, released] = await DB.batch<ReleasedJob>([
        auditOf(c, [{ action, subject: id, detail: reason }], STILL_OPEN),
        discardDeadLetters(DB, [id], { actor: c.get("caller").id, reason }, api.now()),
        releaseNext(DB, symbol === null ? [] : [symbol], api.now()),
      ]);
      await api.enqueueJobs(released?.results ?? []);
      const after = await requireDeadLetter(DB, id);
      if ((discarded?.results.length ?? 0) === 0) throw notOpen(after);
      return c.json(showDeadLetter(after), 200);
    });
  },
);

/**
 * Work of one asset is done in the order in which it was ordered, so its letters are dealt with in
 * that order.
 */
async function refuseOutOfOrder(db: D1Database, deadLetter: StoredDeadLetter): Promise<void> {
  const first = deadLetter.symbol === null ? null : await earlierOpenDeadLetter(db, deadLetter);
  if (first === null) return;
  throw new ApiProblem(
    "conflict",
    `The dead letter ${first} of ${deadLetter.symbol} comes first.`,
    [{ field: "id", reason: "an earlier dead letter of the same asset is open", value: first }],
  );
}

/** A delivery whose endpoint takes none is not put back to work: it would only be cancelled. */
async function refuseUnwanted(db: D1Database, deliveryId: string): Promise<void> {
  const delivery = await findDelivery(db, deliveryId);
  if (delivery !== null) await refuseUnlessEnabled(db, delivery.endpointId);
}

async function refuseOtherPlan(
  { api }: ApiEnv["Bindings"],
  deadLetter: StoredDeadLetter,
  planHash: string,
): Promise<void> {
  if ((await api.hash(planText(await api.planOf(deadLetter.body)))) === planHash) return;
  throw new ApiProblem(
    "plan_changed",
    "A redrive would do something else now; look at a new dry run.",
  );
}

async function sendAgain({ api }: ApiEnv["Bindings"], body: unknown): Promise<void> {
  try {
    await api.sendAgain([body]);
  } catch (error) {
    api.log({ level: "error", message: "redrive not sent", error: String(error) });
    throw new ApiProblem(
      "unavailable",
      "The queue did not take the message; the dead letter is still open.",
      [],
      {
        "retry-after": "5",
      },
    );
  }
}
