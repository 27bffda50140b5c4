import type { Bar } from "../../domain/asset/bar.ts";
import type { JsonAction } from "../../domain/asset/check-actions.ts";
import type { IngestCommand, IngestResult } from "../../domain/asset/commands.ts";
import type { CorporateAction } from "../../domain/asset/corporate-action.ts";
import type { BarRow } from "../../domain/asset/read-bar.ts";
import type { Skipped } from "../../domain/import/understanding.ts";
import type { ImportParams } from "../../domain/job/kinds/ingest.ts";
import type { AssetType } from "../../domain/market/asset-type.ts";
import type { CalendarId } from "../../domain/market/calendar-id.ts";
import type { Resolution } from "../../domain/market/resolution.ts";
import type { Problem } from "../../domain/outcome.ts";
import type { FeedChange } from "../../domain/quality/feed.ts";
import type { Log } from "../../domain/trace/log-context.ts";
import type { Prices } from "./ask-sources.ts";

/** What the ingest worker must know of an asset. */
export interface IngestAsset {
  readonly symbol: string;
  readonly type: AssetType;
  readonly currency: string;
  readonly calendar: CalendarId;
  readonly source: string;
  readonly archived: boolean;
}

export interface IngestDeps {
  readonly asset: (symbol: string) => Promise<IngestAsset | null>;
  /**
   * Stored bars of a range (epoch ms, both included), oldest first: the newest or the oldest
   * `limit` of them.
   */
  readonly stored: (
    symbol: string,
    resolution: Resolution,
    range: { readonly from: number; readonly which: "newest" | "oldest"; readonly limit: number },
  ) => Promise<readonly Bar[]>;
  /** The splits on record with an ex-date (epoch ms) from an instant on, oldest first. */
  readonly splits: (symbol: string, from: number) => Promise<readonly CorporateAction[]>;
  /** Keeps what an asset's source did not tell as it should. Again is once. */
  readonly note: (symbol: string, resolution: Resolution, change: FeedChange) => Promise<void>;
  /** Whom to ask for an asset, in this order. */
  readonly candidates: (asset: Pick<IngestAsset, "type" | "source">) => readonly string[];
  readonly prices: (
    source: string,
    request: PriceRequest,
    order: { readonly jobId: string; readonly traceparent: string | null },
  ) => Promise<Prices>;
  /**
   * The rows of an uploaded file, which was read once already when it was accepted; null when it is
   * gone.
   */
  readonly upload: (
    params: ImportParams,
    series: { readonly resolution: Resolution; readonly calendar: CalendarId },
  ) => Promise<Upload | null>;
  readonly ingest: (command: IngestCommand) => Promise<IngestResult>;
  readonly hash: (text: string) => Promise<string>;
  /** Wall clock: a bar of the future is refused. */
  readonly now: () => number;
  readonly log: Log;
}

type PriceRequest = Pick<IngestAsset, "symbol" | "type" | "currency" | "calendar"> & {
  readonly resolution: Resolution;
  readonly from: number;
  readonly to: number;
};

export type Upload =
  | {
      readonly ok: true;
      readonly bars: readonly BarRow[];
      readonly actions?: readonly JsonAction[];
      /** Rows that were passed over, and why; left out when there are none. */
      readonly skipped?: { readonly total: number; readonly rows: readonly Skipped[] };
    }
  | { readonly ok: false; readonly error: Problem };
