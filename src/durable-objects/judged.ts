import type { AssetFact } from "../domain/events/catalogue.ts";
import { isCalendarId } from "../domain/market/calendar-id.ts";
import type { Resolution } from "../domain/market/resolution.ts";
import { QUALITY_WINDOW, seriesQuality } from "../domain/quality/series-quality.ts";
import type { RecommendedOn } from "../domain/recommendation/recommendation.ts";
import type { BarStore } from "./bar-store.ts";

/** What is known against an asset's newest bars; nothing where its calendar is not known. */
export function judged(
  store: BarStore,
  { calendar }: AssetFact,
  resolution: Resolution,
): { readonly quality?: RecommendedOn } {
  if (!isCalendarId(calendar)) return {};
  const found = seriesQuality(store.latest(resolution, QUALITY_WINDOW), resolution, calendar);
  const { bars, missing, offCalendar, outliers, impossible, unchanged } = found;
  return { quality: { bars, missing, offCalendar, outliers, impossible, unchanged } };
}
