import * as z from "zod";
import { iso } from "../../domain/iso.ts";
import {
  decideProcess,
  type ProcessCommand,
  type ProcessRefusal,
} from "../../domain/process/decide.ts";
import { definitionOf, PROCESS_KINDS } from "../../domain/process/kinds.ts";
import {
  type ProcessRecord,
  processId,
  processIdPrefix,
  processNumber,
} from "../../domain/process/process.ts";
import { evolveProcess, initialProcess, PROCESS_STATES } from "../../domain/process/state.ts";
import { canonicalJson } from "../../domain/recommendation/canonical-json.ts";
import { loadAssets } from "../../records/assets/asset-records.ts";
import { turnOf } from "../../records/jobs/process-audit.ts";
import {
  countStuckProcesses,
  findProcess,
  latestProcess,
  listProcesses,
  saveProcess,
  startProcess,
} from "../../records/jobs/process-records.ts";
import type { AuditEntry } from "../../records/operations/audit.ts";
import { describeAsset, newAsset } from "../assets/asset-schemas.ts";
import type { ApiEnv, Caller } from "../http/platform.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
} from "../http/schemas.ts";
import { processView, showProcess } from "./process-view.ts";

export const processes = router();
const tag = "Processes";
const params = z.object({ id: z.string().min(1).max(200) });

const newProcess = z.strictObject({ kind: z.enum(PROCESS_KINDS), input: newAsset });

processes.openapi(
  operation(
    {
      method: "post",
      path: "/processes",
      scope: "processes:write",
      summary: "Start a process; asked for again while it holds, it is the same one",
      tag,
    },
    jsonBody(newProcess),
    202,
    z.object({ processId: z.string() }),
  ),
  async (c) => {
    const { kind, input: requested } = c.req.valid("json");
    const { api, DB } = c.env;
    const input = describeAsset(api.config.DEMO, requested);
    const [latest, [asset]] = await Promise.all([
      latestProcess(DB, processIdPrefix(kind, input.symbol)),
      loadAssets(DB, [input.symbol]),
    ]);
    const watched = asset !== undefined && asset.archivedAt === null;
    const holds = latest !== null && (latest.progress.finishedAt === null || watched);
    if (holds && latest.progress.state !== "compensated") {
      return c.json(...accepted(await sameRequest(c.env, latest, input)));
    }
    if (watched) {
      throw new ApiProblem(
        "conflict",
        `${input.symbol} is registered already; use PATCH to change it.`,
      );
    }
    const now = api.now();
    const id = processId(kind, input.symbol, processNumber(latest?.id ?? "") + 1);
    const process: ProcessRecord = {
      id,
      kind,
      input,
      progress: initialProcess(definitionOf(kind), now),
      version: 1,
      actor: c.get("caller").id,
      traceparent: api.traceparent,
      createdAt: now,
      updatedAt: now,
    };
    await DB.batch(
      startProcess(DB, process, entryOf(c.env, c.get("caller"), "process.start", id, null)),
    );
    return c.json(...accepted(await sameRequest(c.env, await requireProcess(DB, id), input)));
  },
);

/** Whoever asked for it first decides what it is; asking again sends it on its way once more. */
async function sameRequest(
  env: ApiEnv["Bindings"],
  process: ProcessRecord,
  input: unknown,
): Promise<string> {
  if (canonicalJson(process.input) !== canonicalJson(input)) {
    throw new ApiProblem(
      "conflict",
      `The process ${process.id} was started for this with another input.`,
    );
  }
  if (process.progress.dueAt !== null) await env.api.enqueueProcess(process);
  return process.id;
}

const locationOf = (id: string) => ({ location: `/api/v1/processes/${encodeURIComponent(id)}` });
const accepted = (id: string) => [{ processId: id }, 202, locationOf(id)] as const;

processes.openapi(
  operation(
    {
      method: "get",
      path: "/processes",
      scope: "processes:read",
      summary: "Processes, newest first",
      tag,
    },
    {
      query: z.object({
        kind: z.enum(PROCESS_KINDS).optional(),
        state: z.enum(PROCESS_STATES).optional(),
        limit: listLimit,
        cursor: z.string().optional(),
      }),
    },
    200,
    listOf(processView),
  ),
  async (c) => {
    const { kind, state, limit, cursor } = c.req.valid("query");
    const before = readCursor(cursor, z.tuple([z.number().int(), z.string()]));
    const filter = { kind: kind ?? null, state: state ?? null };
    const rows = await listProcesses(c.get("reads"), filter, before, limit + 1);
    return c.json(
      page(rows, limit, (process) => [process.createdAt, process.id], showProcess),
      200,
    );
  },
);

processes.openapi(
  operation(
    {
      method: "get",
      path: "/backoffice/processes",
      scope: "ops:read",
      summary: "How many processes are stuck and need a hand; counted up to 10,000",
      tag: "Backoffice",
    },
    {},
    200,
    z.object({ stuck: z.number().int() }),
  ),
  async (c) => c.json({ stuck: await countStuckProcesses(c.get("reads")) }, 200),
);

processes.openapi(
  operation(
    {
      method: "get",
      path: "/processes/{id}",
      scope: "processes:read",
      summary: "One process with every step and attempt",
      tag,
    },
    { params },
    200,
    processView,
  ),
  // The primary is asked: whoever started a process must find it at once.
  async (c) => c.json(showProcess(await requireProcess(c.env.DB, c.req.valid("param").id)), 200),
);

processes.openapi(
  operation(
    {
      method: "post",
      path: "/processes/{id}/resume",
      scope: "processes:write",
      summary: "Let a stuck process go on where it stands, with all its tries again",
      tag,
    },
    { params },
    202,
    processView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const command = { do: "resume", at: c.env.api.now() } as const;
    const process = await manually(c.env, c.get("caller"), id, command, null);
    return c.json(showProcess(process), 202, locationOf(id));
  },
);

processes.openapi(
  operation(
    {
      method: "post",
      path: "/processes/{id}/compensate",
      scope: "processes:write",
      summary: "Take back what a process has done, last step first; also one that is completed",
      tag,
    },
    { params, ...jsonBody(z.strictObject({ reason: z.string().min(1).max(500) })) },
    202,
    processView,
  ),
  async (c) => {
    const { id } = c.req.valid("param");
    const { reason } = c.req.valid("json");
    const command = { do: "compensate", at: c.env.api.now(), reason } as const;
    const process = await manually(c.env, c.get("caller"), id, command, reason);
    return c.json(showProcess(process), 202, locationOf(id));
  },
);

const TRIES = 3;

/** Applies a person's command to a process, again if its version has moved. */
async function manually(
  env: ApiEnv["Bindings"],
  caller: Caller,
  id: string,
  command: ProcessCommand,
  detail: string | null,
): Promise<ProcessRecord> {
  for (let tries = 0; tries < TRIES; tries++) {
    const process = await requireProcess(env.DB, id);
    const definition = definitionOf(process.kind);
    const facts = decideProcess(definition, process.progress, command);
    if ("refused" in facts) throw new ApiProblem("conflict", WHY[facts.refused](process));
    const progress = facts.reduce(
      (state, fact) => evolveProcess(definition, state, fact),
      process.progress,
    );
    const now = env.api.now();
    const entry = entryOf(env, caller, `process.${command.do}`, id, detail);
    // That it began is what the person did; that there was nothing to take back, and so it ended,
    // is a turn of its own.
    const turns = facts
      .filter(({ fact }) => fact !== "CompensationBegan")
      .flatMap((fact) => turnOf(env.api.newId, process, fact, now));
    if (!(await saveProcess(env.DB, { ...process, progress }, now, [entry, ...turns]))) continue;
    await env.api.enqueueProcess(process);
    return requireProcess(env.DB, id);
  }
  throw new ApiProblem("conflict", "The process is moving; look at it and try again.");
}

const WHY: Readonly<Record<ProcessRefusal, (process: ProcessRecord) => string>> = {
  finished: ({ progress }) => `The process is ${progress.state} already.`,
  not_stuck: ({ progress }) => `The process is ${progress.state}; only a stuck one can be resumed.`,
  compensating_already: ({ progress }) =>
    progress.state === "stuck"
      ? "The process is being taken back already and is stuck in it: resume it."
      : "The process is being taken back already.",
  leased: ({ progress }) => {
    const { leaseUntil } = progress;
    const when = leaseUntil === null ? "soon" : `after ${iso(leaseUntil)} at the latest`;
    return `A worker has a step in hand, whose effect could come after its compensation; try again ${when}.`;
  },
  stuck: () => "The process is stuck.",
  not_due: () => "The process is not due.",
  not_leased: () => "The process is in nobody's hand.",
};

const entryOf = (
  { api }: ApiEnv["Bindings"],
  caller: Caller,
  action: string,
  subject: string,
  detail: string | null,
): AuditEntry => ({
  id: api.newId(),
  at: api.now(),
  actor: caller.id,
  action,
  subject,
  outcome: "done",
  detail,
  traceparent: api.traceparent,
});

async function requireProcess(db: D1Database, id: string): Promise<ProcessRecord> {
  const process = await findProcess(db, id);
  if (process === null) throw new ApiProblem("not_found", `There is no process ${id}.`);
  return process;
}
