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
  // What is due is for the bars to say; the track record is judged by an invariant of its own.
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

/** The slots between the first and the last that a schedule has dealt with, without a hole. */
function missingSlots(view: View, id: string): string[] {
  const [schedule] = view.rows("SELECT * FROM schedules WHERE id = ?", id);
  if (schedule === undefined) return [];
  const known = view
    .rows("SELECT slot FROM slots WHERE schedule_id = ? ORDER BY slot", id)
    .map(({ slot }) => Number(slot));
  const cadence = JSON.parse(String(schedule["cadence"]));
  const faults: string[] = [];
  let expected: number | null = known[0] ?? null;
  const last = Number(schedule["done_until"]);
  for (let count = 0; expected !== null && expected <= last && count < 1_000; count++) {
    if (!known.includes(expected))
      faults.push(`${new Date(expected).toISOString()} of ${id} was never dealt with`);
    expected = nextSlot(cadence, expected);
  }
  return faults.slice(0, 3);
}
