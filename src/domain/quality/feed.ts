/** Reasons of the asset's own why a series gets no bars. */
export const FEED_TROUBLES = ["UnknownSymbol", "Delisted"] as const;
export type FeedTrouble = (typeof FEED_TROUBLES)[number];

/** Effect of a source's answer, or of its absence, on the state of a feed. */
export interface FeedChange {
  /** Null ends the trouble before. */
  readonly trouble: { readonly outcome: FeedTrouble; readonly detail: string } | null;
  readonly source: string;
  /** Instants (epoch ms) of rows that were left out because the market was closed then. */
  readonly offSession: readonly number[];
}
