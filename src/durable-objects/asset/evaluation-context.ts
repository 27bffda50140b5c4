import type { AssetFact } from "../../domain/events/catalogue.ts";
import { isCalendarId } from "../../domain/market/calendar-id.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import {
  actionsAround,
  QUALITY_WINDOW,
  seriesQuality,
} from "../../domain/quality/series-quality.ts";
import type { RecommendedOn } from "../../domain/recommendation/recommendation.ts";
import type { AssetDatabase } from "./asset-database.ts";

/** What is known against an asset's newest bars; nothing where its calendar is not known. */
export function evaluationContext(
  { bars: store, actions }: Pick<AssetDatabase, "bars" | "actions">,
  { calendar }: AssetFact,
  resolution: Resolution,
): { readonly quality?: RecommendedOn } {
  if (!isCalendarId(calendar)) return {};
  const latest = store.latest(resolution, QUALITY_WINDOW);
  const around = actionsAround(latest);
  const known = around === null ? [] : actions.between(around.from, around.to);
  const found = seriesQuality(latest, resolution, calendar, known);
  const { bars, missing, offCalendar, outliers, impossible, unchanged } = found;
  return { quality: { bars, missing, offCalendar, outliers, impossible, unchanged } };
}
