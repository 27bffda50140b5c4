/** An instant (epoch ms) as ISO-8601 UTC. */
export const iso = (instant: number): string => new Date(instant).toISOString();

export const isoOrNull = (instant: number | null): string | null =>
  instant === null ? null : iso(instant);

/** The UTC date of an instant (epoch ms): `YYYY-MM-DD`. */
export const isoDay = (instant: number): string => iso(instant).slice(0, 10);
