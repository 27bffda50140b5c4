import { shorten } from "../asset/row-error.ts";
import { ROLES, type Role } from "./column-names.ts";
import type { Question } from "./question.ts";

/** The sender's place for each value: a header's name, a position counted from 1, or none. */
export type RequestedColumns = ReadonlyMap<Role, string>;

/** Marks a value that the file does not have. */
const NONE = "none";

const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

/**
 * `columns=timestamp:1,close:Adj Close,volume:none` names some;
 * `columns=timestamp,open,high,low,close,volume` names all in their order, with `-` for a column to
 * skip. Returns the reason when it is neither.
 */
export const readRequestedColumns = (
  text: string | undefined,
):
  | { readonly ok: true; readonly requested: RequestedColumns }
  | { readonly ok: false; readonly reason: string } => {
  const requested = new Map<Role, string>();
  if (text === undefined) return { ok: true, requested };
  const items = text.split(",").map((item) => item.trim());
  const named = items.some((item) => item.includes(":"));
  for (const [index, item] of items.entries()) {
    const colon = item.indexOf(":");
    if (!named && (item === "" || item === "-")) continue;
    const role = (colon === -1 ? item : item.slice(0, colon)).trim().toLowerCase();
    const where = colon === -1 ? (named ? "" : String(index + 1)) : item.slice(colon + 1).trim();
    if (!isRole(role) || where === "")
      return {
        ok: false,
        reason: `"${shorten(item)}" is not a column: write ${ROLES.join(", ")}, each with : and a header's name, a position from 1, or none`,
      };
    if (requested.has(role)) return { ok: false, reason: `"${role}" is given twice` };
    if (where.toLowerCase() === NONE && (role === "timestamp" || role === "close"))
      return { ok: false, reason: `"${role}" cannot be none` };
    requested.set(role, where);
  }
  return { ok: true, requested };
};

/**
 * The requested position, counted from 0; null for none. A name that the header does not have
 * becomes a question.
 */
export const requestedPosition = (
  role: Role,
  column: string,
  header: readonly string[],
  questions: Question[],
): number | null => {
  if (column.toLowerCase() === NONE) return null;
  const named = header.flatMap((name, at) =>
    name.toLowerCase() === column.toLowerCase() ? [at] : [],
  );
  if (named.length === 1) return named[0] ?? null;
  const position = /^\d{1,4}$/.test(column) ? Number(column) : 0;
  if (named.length === 0 && position >= 1 && position <= header.length) return position - 1;
  const reason =
    named.length > 1
      ? "is the name of several columns"
      : `is no column of the file, which has ${header.length}`;
  questions.push({
    parameter: "columns",
    question: `columns says that "${role}" is "${shorten(column)}", which ${reason}`,
    choices: [],
    otherwise:
      named.length > 1
        ? `write columns=${role}:${(named[0] ?? 0) + 1} for the first of them`
        : "write a name as the header has it, or a position from 1",
  });
  return null;
};
