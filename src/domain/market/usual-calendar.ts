import type { AssetType } from "./asset-type.ts";
import { type CalendarId, isCalendarId } from "./calendar-id.ts";

/** The default calendar of each type of asset. */
export const USUAL_CALENDAR: Readonly<Record<AssetType, CalendarId>> = {
  STOCK: "XNYS",
  CRYPTO: "CRYPTO",
  FX: "FX",
};

/**
 * The calendar by which an asset's bars are counted: its own, or the default if its own is no
 * longer known.
 */
export const calendarOf = ({
  type,
  calendar,
}: {
  readonly type: AssetType;
  readonly calendar: string;
}): CalendarId => (isCalendarId(calendar) ? calendar : USUAL_CALENDAR[type]);
