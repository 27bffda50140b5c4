/** The period one bar covers, as users name it: minutes, hours, a day, a week, a month. */
export const RESOLUTIONS = ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mo"] as const;

export type Resolution = (typeof RESOLUTIONS)[number];

export const isResolution = (text: string): text is Resolution =>
  (RESOLUTIONS as readonly string[]).includes(text);
