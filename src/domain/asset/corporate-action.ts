import { barKey } from "../market/bar-key.ts";
import type { CalendarId } from "../market/calendar-id.ts";
import type { Resolution } from "../market/resolution.ts";
import { isIntraday } from "../market/session-slots.ts";

/**
 * Cash paid on one share, in the asset's currency and on the scale of its stored bars; 0 revokes
 * one that was never paid.
 */
interface Dividend {
  readonly type: "dividend";
  /** The first day on which a share is traded without it: its date at 00:00 UTC, epoch ms. */
  readonly exDate: number;
  readonly amount: number;
}

/** `numerator` new shares for `denominator` old ones: 4 and 1 for a split of four to one. */
export interface Split {
  readonly type: "split";
  /** The first day on which the new shares are traded, as for a dividend. */
  readonly exDate: number;
  readonly numerator: number;
  readonly denominator: number;
}

/**
 * A company's action that moves the price of its share, and not its worth. An asset has one of a
 * kind a day.
 */
export type CorporateAction = Dividend | Split;

/** An action as tables keep it: the numbers of the other kind are null. */
export interface ActionColumns {
  readonly exDate: number;
  readonly type: string;
  readonly amount: number | null;
  readonly numerator: number | null;
  readonly denominator: number | null;
}

/** The action of a row. Numbers of its kind that the row lacks get their neutral value. */
export const fromColumns = ({
  exDate,
  type,
  amount,
  numerator,
  denominator,
}: ActionColumns): CorporateAction =>
  type === "dividend"
    ? { type, exDate, amount: amount ?? 0 }
    : { type: "split", exDate, numerator: numerator ?? 1, denominator: denominator ?? 1 };

export const ACTION_TYPES = ["dividend", "split"] as const;
export type ActionType = (typeof ACTION_TYPES)[number];

/** Identity of an action within its asset. */
export const actionKey = ({ exDate, type }: Pick<CorporateAction, "exDate" | "type">): string =>
  `${exDate} ${type}`;

/** An action that is new, or that differs from the one on record. */
export interface ActionChange {
  readonly before: CorporateAction | null;
  readonly after: CorporateAction;
}

/**
 * The changes of a batch of actions, oldest first; repeated actions change nothing. Of two of one
 * kind and day the later wins.
 */
export function mergeActions(
  existing: readonly CorporateAction[],
  incoming: readonly CorporateAction[],
): ActionChange[] {
  const known = new Map(existing.map((action) => [actionKey(action), action]));
  return [...new Map(incoming.map((action) => [actionKey(action), action])).values()]
    .toSorted(
      (a, b) => a.exDate - b.exDate || ACTION_TYPES.indexOf(a.type) - ACTION_TYPES.indexOf(b.type),
    )
    .map((after) => ({ before: known.get(actionKey(after)) ?? null, after }))
    .filter(({ before, after }) => before === null || !saysTheSame(before, after));
}

const saysTheSame = (one: CorporateAction, other: CorporateAction): boolean =>
  one.type === "dividend"
    ? other.type === "dividend" && one.amount === other.amount
    : other.type === "split" &&
      one.numerator === other.numerator &&
      one.denominator === other.denominator;

/** The key of the first bar that is traded without what an action gave: see `Bar.timestamp`. */
export const firstBarWithout = (
  resolution: Resolution,
  calendar: CalendarId,
  { exDate }: Pick<CorporateAction, "exDate">,
): number => (isIntraday(resolution) ? exDate : barKey(resolution, calendar, exDate));
