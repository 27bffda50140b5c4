import * as z from "zod";
import { nearestName } from "../../domain/nearest-name.ts";
import type { ProblemItem } from "../../domain/outcome.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** More problems of one request than this are not told. */
const MAX_ITEMS = 100;
/** A name may be as long as the body it stands in. */
const MAX_NAME_LENGTH = 60;
/** More names than this help nobody. */
const MAX_NAMES = 40;

/**
 * What the schema of an object knows, by the list of what it did not know. A finished issue no
 * longer tells which schema refused, but the list in it is the same one.
 */
const knownBy = new WeakMap<readonly string[], readonly string[]>();

z.config({
  customError: (issue) => {
    if (issue.code === "unrecognized_keys" && issue.inst instanceof z.ZodObject)
      knownBy.set(issue.keys, Object.keys(issue.inst.shape));
    // The message stays zod's own.
    return undefined;
  },
});

/**
 * What an object that takes only certain names was given beside them. `what` is a parameter or a
 * field.
 */
function unknownName(
  field: string,
  name: string,
  known: readonly string[],
  what: "parameter" | "field",
): ProblemItem {
  const shown = JSON.stringify(shortened(name));
  const nearest = nearestName(name, known);
  const hint = nearest === null ? "" : `, did you mean "${nearest}"?`;
  const names = known.slice(0, MAX_NAMES).join(", ");
  const rest =
    known.length === 0
      ? `there are no ${what}s here`
      : `known here: ${names}${known.length > MAX_NAMES ? ", …" : ""}`;
  return { field, reason: `unknown ${what} ${shown}${hint} (${rest})` };
}

/**
 * A zod error as a list of fields, named as the client wrote them: one item for each thing to mend.
 */
export const itemsOf = (
  error: z.ZodError | z.core.$ZodError,
  what: "parameter" | "field" = "field",
): ProblemItem[] =>
  error.issues
    .slice(0, MAX_ITEMS)
    .flatMap((issue) => itemsAt(issue, [], what))
    .slice(0, MAX_ITEMS);

function itemsAt(issue: Issue, above: Path, what: "parameter" | "field"): ProblemItem[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const known = knownBy.get(issue.keys) ?? [];
    return issue.keys
      .slice(0, MAX_ITEMS)
      .map((key) => inRow(path, unknownName(fieldOf([...path, key]), key, known, what)));
  }
  if (issue.code === "invalid_union") return unionItems(issue, path, what);
  return [inRow(path, { field: fieldOf(path), reason: issue.message })];
}

/**
 * Of a value with several forms: what is wrong with the form that was meant, when that is plain.
 */
function unionItems(
  issue: Extract<Issue, { code: "invalid_union" }>,
  path: Path,
  what: "parameter" | "field",
): ProblemItem[] {
  // A form that wants another type altogether was not meant.
  const meant = issue.errors.filter(
    (form) => !form.some((one) => one.path.length === 0 && isOfType(one)),
  );
  const [only] = meant;
  if (only !== undefined && meant.length === 1)
    return only.flatMap((one) => itemsAt(one, path, what));
  const unknown = unknownToAll(meant);
  if (unknown.keys.length > 0) {
    return unknown.keys.map((key) =>
      inRow(path, unknownName(fieldOf([...path, key]), key, unknown.known, what)),
    );
  }
  const forms = (meant.length > 0 ? meant : issue.errors).flatMap((form) => {
    const [first] = form.flatMap((one) => itemsAt(one, path, what));
    return first === undefined ? [] : [`${first.field}: ${first.reason}`];
  });
  const options =
    "options" in issue && issue.options !== undefined
      ? `must be one of ${issue.options.map(String).join(", ")}`
      : issue.message;
  const reason =
    forms.length === 0 ? options : `none of its forms: ${[...new Set(forms)].join("; or ")}`;
  return [inRow(path, { field: fieldOf(path), reason })];
}

const isOfType = (issue: Issue): boolean => issue.code === "invalid_type";

/** The names that no form knows, and all that some form does. */
function unknownToAll(forms: readonly (readonly Issue[])[]): {
  readonly keys: readonly string[];
  readonly known: readonly string[];
} {
  const refusals = forms.map((form) =>
    form
      .flatMap((one) =>
        one.code === "unrecognized_keys" && one.path.length === 0 ? [one.keys] : [],
      )
      .flat(),
  );
  const [first = [], ...others] = refusals;
  // A body may hold thousands of names: each is looked up, none is searched for.
  const sets = others.map((refused) => new Set(refused));
  const keys = first.filter((key) => sets.every((refused) => refused.has(key)));
  const known = forms.flatMap((form) =>
    form.flatMap((one) => (one.code === "unrecognized_keys" ? (knownBy.get(one.keys) ?? []) : [])),
  );
  return { keys: keys.slice(0, MAX_ITEMS), known: [...new Set(known)] };
}

const fieldOf = (path: Path): string =>
  path.map((part) => shortened(String(part))).join(".") || "body";

const shortened = (name: string): string =>
  name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;

function inRow(path: Path, item: ProblemItem): ProblemItem {
  const [list, index] = path;
  const isRow = (list === "bars" || list === "actions") && typeof index === "number";
  return isRow ? { ...item, row: index + 1 } : item;
}

/** The first of them, as a sentence. */
export const detailOf = (items: readonly ProblemItem[]): string => {
  const first = items.slice(0, 3).map(({ field, reason }) => `${field}: ${reason}`);
  return first.join("; ");
};
