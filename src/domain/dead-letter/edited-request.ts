import type { JobParams } from "../job/job-kinds.ts";

/** Fields of a parked job's request that may be corrected. Its asset, kind and slot stay. */
export interface ParamsEdit {
  /** Epoch ms: up to which instant a source is asked. */
  readonly until?: number | undefined;
  /** True to ask a source for its whole history. */
  readonly backfill?: boolean | undefined;
  /** Format of an uploaded file. */
  readonly format?: "csv" | "json" | undefined;
}

/**
 * The order's parameters with the edit, or the fields of the edit that this order does not have.
 */
export function editedParams(
  params: JobParams,
  edit: ParamsEdit,
):
  | { readonly ok: true; readonly params: JobParams }
  | { readonly ok: false; readonly fields: string[] } {
  const editable: readonly string[] =
    params.mode === "source" ? ["until", "backfill"] : params.mode === "import" ? ["format"] : [];
  const given = Object.entries(edit).flatMap(([field, value]) =>
    value === undefined ? [] : [field],
  );
  const fields = given.filter((field) => !editable.includes(field));
  if (fields.length > 0) return { ok: false, fields };
  switch (params.mode) {
    case "source": {
      const { until = params.until, backfill = params.backfill } = edit;
      return { ok: true, params: { ...params, until, backfill } };
    }
    case "import":
      return { ok: true, params: { ...params, format: edit.format ?? params.format } };
    // What was asked of any other work is its identity: another request is another piece of work.
    default:
      return { ok: true, params };
  }
}

/** `kind|asset|slot` and `kind|asset|slot~2` are orders of the same work. */
export const originalJobId = (id: string): string => id.replace(/~\d+$/, "");

/** The id of the next request for the same work, given those that exist already. */
export function nextEditedId(id: string, taken: readonly string[]): string {
  const original = originalJobId(id);
  const numbers = [id, ...taken]
    .filter((other) => originalJobId(other) === original)
    .map((other) => Number(/~(\d+)$/.exec(other)?.[1] ?? 0));
  return `${original}~${Math.max(0, ...numbers) + 1}`;
}
