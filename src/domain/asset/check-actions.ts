import type { AssetType } from "../market/asset-type.ts";
import { type ActionType, actionKey, type CorporateAction } from "./corporate-action.ts";
import { MAX_PRICE } from "./read-number.ts";
import { readTimestamp } from "./read-timestamp.ts";
import { type RowError, RowErrors, type RowPlace } from "./row-error.ts";

/** One action of a JSON upload; its fields have the right JavaScript types already. */
export type JsonAction =
  | { readonly type: "dividend"; readonly exDate: string; readonly amount: number }
  | {
      readonly type: "split";
      readonly exDate: string;
      readonly numerator: number;
      readonly denominator: number;
    };

export type ActionsCheck =
  | { readonly ok: true; readonly actions: readonly CorporateAction[] }
  | { readonly ok: false; readonly errors: readonly RowError[]; readonly total: number };

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const EARLIEST = Date.UTC(1900, 0, 1);
/** More shares for one have never been given. */
const MAX_SHARES = 1e6;

/**
 * Actions that may be stored, or every reason why none may. `now` is epoch ms. Rows are counted
 * from 1. Fields are named `actions.<field>`, to tell them from those of the bars.
 */
export function checkActions(
  rows: readonly JsonAction[],
  { now, type }: { readonly now: number; readonly type: AssetType },
): ActionsCheck {
  const errors = new RowErrors();
  const seen = new Map<string, { readonly row: number; readonly text: string }>();
  const actions: CorporateAction[] = [];
  for (const [index, json] of rows.entries()) {
    const place = { row: index + 1, line: null };
    const refuse = (field: string, value: string, reason: string) =>
      errors.add(place, `actions.${field}`, value, reason);
    if (type !== "STOCK") refuse("type", json.type, "applies to stocks only");
    const exDate = checkDate(json.exDate, now, refuse);
    const values = checkValues(json, refuse);
    if (exDate === null || values === null) continue;
    const action = { ...values, exDate };
    const text = JSON.stringify(action);
    const key = actionKey(action);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, { row: place.row, text });
      actions.push(action);
    } else if (first.text !== text) refuse("exDate", json.exDate, otherOf(json.type, first));
  }
  return errors.total > 0
    ? { ok: false, errors: errors.listed, total: errors.total }
    : { ok: true, actions };
}

const otherOf = (type: ActionType, { row }: Pick<RowPlace, "row">): string =>
  `row ${row} has another ${type} for the same day: write them as one`;

type Refuse = (field: string, value: string, reason: string) => void;

function checkDate(text: string, now: number, refuse: Refuse): number | null {
  const reading = DATE.test(text) ? readTimestamp(text) : null;
  if (reading?.kind !== "instant") {
    refuse("exDate", text, reading === null ? "is not a date: use YYYY-MM-DD" : reading.reason);
    return null;
  }
  if (reading.instant < EARLIEST) refuse("exDate", text, "is before 1900");
  if (reading.instant > now) refuse("exDate", text, "is in the future");
  return reading.instant;
}

type Values = CorporateAction extends infer A
  ? A extends CorporateAction
    ? Omit<A, "exDate">
    : never
  : never;

function checkValues(json: JsonAction, refuse: Refuse): Values | null {
  if (json.type === "dividend") {
    const { type, amount } = json;
    if (amount >= 0 && amount <= MAX_PRICE) return { type, amount: amount + 0 };
    refuse(
      "amount",
      String(amount),
      amount < 0 ? "is below zero" : `is beyond ${MAX_PRICE.toExponential()}`,
    );
    return null;
  }
  const { type, numerator, denominator } = json;
  let good = true;
  for (const [field, shares] of Object.entries({ numerator, denominator })) {
    if (shares > 0 && shares <= MAX_SHARES) continue;
    good = false;
    refuse(
      field,
      String(shares),
      shares > 0 ? `is beyond ${MAX_SHARES.toExponential()}` : "is not above zero",
    );
  }
  return good ? { type, numerator, denominator } : null;
}
