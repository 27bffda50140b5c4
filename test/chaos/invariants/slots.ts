import type { Cadence } from "../../../src/domain/schedule/cadence.ts";
import { nextSlot } from "../../../src/domain/schedule/due-slots.ts";
import type { Invariant } from "./list.ts";
import type { View } from "./view.ts";

/** Every due slot is claimed, once; it ends with its jobs ordered, or skipped with a reason. */
export const slots: Invariant = {
  name: "every due slot is claimed and ends",
  check: (view) => [
    ...view.rows("SELECT * FROM slots").flatMap((slot) => slotFaults(view, slot)),
    ...view.ledger.schedules
      .filter(({ id }) => !view.ledger.changedSchedules.has(id))
      .flatMap(({ id }) => missingSlots(view, id)),
  ],
};

function slotFaults(view: View, slot: Readonly<Record<string, unknown>>): string[] {
  const at = new Date(Number(slot["slot"])).toISOString();
  const name = `slot ${at} of ${String(slot["schedule_id"])}`;
  if (slot["state"] === "skipped")
    return slot["skipped_why"] === null ? [`${name} was skipped without a reason`] : [];
  if (slot["state"] !== "enqueued") return [`${name} is ${String(slot["state"])}`];
  const [schedule] = view.rows("SELECT * FROM schedules WHERE id = ?", String(slot["schedule_id"]));
  if (schedule === undefined) return [];
  const target = JSON.parse(String(schedule["target"])) as {
    symbol?: string;
    calendar?: string;
    only?: string;
    resolution?: string;
  };
  if (target.resolution !== undefined)
    return view.jobs.has(`ranking|${target.resolution}|${at}`)
      ? []
      : [`${name} is enqueued and ranked nothing`];
  // The bars decide what is due; an invariant of its own checks the track record.
  if (target.only === "due") return [];
  const symbols =
    target.symbol !== undefined
      ? [target.symbol]
      : view
          .rows(
            "SELECT symbol FROM assets WHERE calendar = ? AND live = 1 AND source <> 'import' AND archived_at IS NULL",
            target.calendar ?? "",
          )
          .map(({ symbol }) => String(symbol))
          .filter((symbol) => wasThere(view, symbol, Number(slot["claimed_at"])));
  return symbols
    .filter((symbol) => !view.jobs.has(`${String(schedule["kind"])}|${symbol}|${at}`))
    .map((symbol) => `${name} is enqueued and ordered nothing for ${symbol}`);
}

/** Registered before the slot was claimed, and left alone since. */
const wasThere = (view: View, symbol: string, claimedAt: number): boolean =>
  !view.ledger.changedAssets.has(symbol) &&
  view.ledger.assets.some((asset) => asset.symbol === symbol && asset.at < claimedAt);

/**
 * Text by which a skipped slot covers those after it, when they are too many to be listed one by
 * one.
 */
const SPEAKS_FOR = /; so (?:is the one|are (?:the|at least) (\d+)) after it, up to (\S+)$/;

/** The slots between the first and the last that a schedule has dealt with, without a hole. */
function missingSlots(view: View, id: string): string[] {
  const [schedule] = view.rows("SELECT * FROM schedules WHERE id = ?", id);
  if (schedule === undefined) return [];
  const known = new Map(
    view
      .rows("SELECT slot, skipped_why FROM slots WHERE schedule_id = ? ORDER BY slot", id)
      .map(({ slot, skipped_why }) => [Number(slot), String(skipped_why)]),
  );
  const cadence = JSON.parse(String(schedule["cadence"]));
  const faults: string[] = [];
  let expected: number | null = known.keys().next().value ?? null;
  const last = Number(schedule["done_until"]);
  for (let count = 0; expected !== null && expected <= last && count < 1_000; count++) {
    const why = known.get(expected);
    if (why === undefined)
      faults.push(`${new Date(expected).toISOString()} of ${id} was never dealt with`);
    const [, others = "1", until] = SPEAKS_FOR.exec(why ?? "") ?? [];
    if (until !== undefined) {
      const spokenFor = slotsBetween(cadence, expected, Date.parse(until));
      if (spokenFor.length < Number(others) || spokenFor.at(-1) !== Date.parse(until))
        faults.push(
          `${new Date(expected).toISOString()} of ${id} speaks for ${others}, not ${spokenFor.length}`,
        );
      expected = spokenFor.at(-1) ?? expected;
    }
    expected = nextSlot(cadence, expected);
  }
  return faults.slice(0, 3);
}

/** The slots after one instant up to another, at most a thousand. */
function slotsBetween(cadence: Cadence, after: number, until: number): number[] {
  const found: number[] = [];
  let slot = nextSlot(cadence, after);
  for (; slot !== null && slot <= until && found.length < 1_000; slot = nextSlot(cadence, slot))
    found.push(slot);
  return found;
}
