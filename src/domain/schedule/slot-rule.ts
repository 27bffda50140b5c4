/** One cadence as a deterministic sequence of instants (epoch ms), strictly ascending. */
export interface SlotRule {
  /** The first slot after an instant; null when there is none. */
  readonly next: (after: number) => number | null;
  /** The last slot before an instant; null when there is none. */
  readonly previous: (before: number) => number | null;
  /**
   * Number of slots in (after, before), where that is plain arithmetic; null where it would mean
   * visiting each.
   */
  readonly count: (after: number, before: number) => number | null;
}
