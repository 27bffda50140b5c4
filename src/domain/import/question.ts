import type { Resolution } from "../market/resolution.ts";

/** The query parameters that answer a file's questions. */
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

/** One possible answer: the text for the query, and its meaning. */
export interface Choice {
  readonly parameter: AnswerName;
  readonly value: string;
  readonly means: string;
}

/** An ambiguity of a file. The file is refused until one of the choices is made. */
export interface Question {
  readonly parameter: AnswerName;
  /** The ambiguity, and its place in the file. */
  readonly question: string;
  readonly choices: readonly Choice[];
  /** A way to write the file without the ambiguity. */
  readonly otherwise: string | null;
}

export const DATE_FORMATS = ["YMD", "DMY", "MDY", "epoch", "excel"] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

const DECIMAL_MARKS = [".", ","] as const;
export type DecimalMark = (typeof DECIMAL_MARKS)[number];

export const WEEK_DATES = ["start", "end"] as const;
export type WeekDate = (typeof WEEK_DATES)[number];

/** The sender's answers about a file. Missing ones are read from the file or become questions. */
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
