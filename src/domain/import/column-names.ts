import type { NumberField } from "../asset/read-bar.ts";

/** Meaning of an upload's column. `time` is a time of day next to a date. */
export type Role = "timestamp" | NumberField;

export const ROLES: readonly Role[] = ["timestamp", "open", "high", "low", "close", "volume"];

/**
 * Names of the columns in exports, compared without case, marks and underscores; the first name
 * that a header has wins. English, and the languages of the sites whose exports people have:
 * German, Spanish, French, Italian, Portuguese, Polish.
 */
export const NAMES_OF: Readonly<Record<Role, readonly string[]>> = {
  timestamp: [
    "timestamp",
    "datetime",
    "date time",
    "date",
    "time",
    "open time",
    "gmt time",
    "local time",
    "utc time",
    "dtyyyymmdd",
    "observation date",
    "datum",
    "fecha",
    "data",
    "unix",
    "unix timestamp",
  ],
  open: [
    "open",
    "opening price",
    "open price",
    "eröffn.",
    "eröffnung",
    "eröffnungskurs",
    "erster",
    "apertura",
    "ouv.",
    "ouverture",
    "abertura",
    "otwarcie",
  ],
  high: [
    "high",
    "high price",
    "hoch",
    "tageshoch",
    "máximo",
    "plus haut",
    "haut",
    "massimo",
    "máxima",
    "najwyzszy",
    "najwyższy",
  ],
  low: [
    "low",
    "low price",
    "tief",
    "tagestief",
    "mínimo",
    "plus bas",
    "bas",
    "minimo",
    "mínima",
    "najnizszy",
    "najniższy",
  ],
  close: [
    "close",
    "close/last",
    "closing price",
    "close price",
    "last",
    "last price",
    "price",
    "zuletzt",
    "schluss",
    "schlusskurs",
    "último",
    "cierre",
    "dernier",
    "clôture",
    "ultimo",
    "chiusura",
    "fechamento",
    "zamkniecie",
    "zamknięcie",
  ],
  volume: [
    "volume",
    "vol",
    "vol.",
    "tickvol",
    "tick volume",
    "total volume",
    "volumen",
    "volumes",
    "wolumen",
  ],
};

/** A time of day next to a date. */
export const TIME_NAMES: readonly string[] = ["time", "uhrzeit", "hora", "heure"];
const DATE_NAMES: ReadonlySet<string> = new Set(["date", "datum", "fecha", "data", "dtyyyymmdd"]);

export const isDateName = (name: string): boolean => DATE_NAMES.has(name);

/**
 * A header's name as the table writes it: `<OPEN>`, `Adj Close**`, `open_time` and `1. open` lose
 * their ornaments.
 */
export const plainName = (name: string): string =>
  name
    .slice(0, 200)
    .toLowerCase()
    .replace(/[<>*"]/g, "")
    .replace(/_/g, " ")
    .replace(/^\d\. /, "")
    .replace(/ ?\([^()]*\)$/, "")
    .trim();

/** True if a header names UTC: `Gmt time`, `Date (UTC)`. */
export const saysUtc = (name: string): boolean => /\b(?:utc|gmt)\b/i.test(name.slice(0, 200));
