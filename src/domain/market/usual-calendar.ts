import type { AssetType } from "./asset-type.ts";
import { type CalendarId, isCalendarId } from "./calendar-id.ts";

/** The calendar of an asset of which nothing else is said. */
export const USUAL_CALENDAR: Readonly<Record<AssetType, CalendarId>> = {
  STOCK: "XNYS",
  CRYPTO: "CRYPTO",
  FX: "FX",
};

/**
 * The calendar by which an asset's bars are counted: its own, or the usual one should nobody know
 * that any more.
 */
export const calendarOf = ({
  type,
  calendar,
}: {
  readonly type: AssetType;
  readonly calendar: string;
}): CalendarId => (isCalendarId(calendar) ? calendar : USUAL_CALENDAR[type]);
