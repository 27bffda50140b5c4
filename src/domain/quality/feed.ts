/** Why a series gets no bars, as far as it is the asset's own trouble. */
export const FEED_TROUBLES = ["UnknownSymbol", "Delisted"] as const;
export type FeedTrouble = (typeof FEED_TROUBLES)[number];

/** What an answer, or the lack of one, says of how a series is fed. */
export interface FeedChange {
  /** Null ends what was the trouble before. */
  readonly trouble: { readonly outcome: FeedTrouble; readonly detail: string } | null;
  readonly source: string;
  /** Instants (epoch ms) of rows that were left out because the market was closed then. */
  readonly offSession: readonly number[];
}
