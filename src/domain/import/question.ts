import type { Resolution } from "../market/resolution.ts";

/** The query parameters that answer what a file leaves open. */
export const ANSWER_NAMES = [
  "resolution",
  "delimiter",
  "columns",
  "dateFormat",
  "decimal",
  "timeZone",
  "weekDated",
] as const;

type AnswerName = (typeof ANSWER_NAMES)[number];

/** One possible answer: what to write into the query, and what it would mean. */
export interface Choice {
  readonly parameter: AnswerName;
  readonly value: string;
  readonly means: string;
}

/** Something a file does not say for certain. It is refused until one of the choices is made. */
export interface Question {
  readonly parameter: AnswerName;
  /** What is open, and where in the file it was met. */
  readonly question: string;
  readonly choices: readonly Choice[];
  /** How to write the file so that nobody has to ask. */
  readonly otherwise: string | null;
}

export const DATE_FORMATS = ["YMD", "DMY", "MDY", "epoch", "excel"] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

const DECIMAL_MARKS = [".", ","] as const;
export type DecimalMark = (typeof DECIMAL_MARKS)[number];

export const WEEK_DATES = ["start", "end"] as const;
export type WeekDate = (typeof WEEK_DATES)[number];

/** What the sender says about a file. What is left out is read from the file or asked. */
export interface Answers {
  readonly resolution?: Resolution | undefined;
  readonly delimiter?: string | undefined;
  readonly columns?: string | undefined;
  readonly dateFormat?: DateFormat | undefined;
  readonly decimal?: DecimalMark | undefined;
  /** An IANA name, or UTC. */
  readonly timeZone?: string | undefined;
  readonly weekDated?: WeekDate | undefined;
}

/** `dateFormat=DMY`, ready to be put into a query. */
export const asQuery = ({ parameter, value }: Pick<Choice, "parameter" | "value">): string =>
  `${parameter}=${encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/")}`;

/** The question with every way out, as one sentence. */
export const requestedIn = ({ question, choices, otherwise }: Question): string => {
  const ways = choices.map((choice) => `${asQuery(choice)} (${choice.means})`);
  const last = otherwise === null ? [] : [otherwise];
  return `${question}: ${[ways.length === 0 ? "" : `say ${ways.join(" or ")}`, ...last].filter((part) => part !== "").join(", or ")}`;
};
