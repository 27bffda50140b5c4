import type { Action, Evidence, RiskLevel } from "../recommendation.ts";
import { RISK_LEVELS } from "../recommendation.ts";
import { allowedActions } from "../recommended-action.ts";
import { riskIn } from "../rules-engine.ts";
import type { Snapshot } from "../snapshot.ts";
import { ANSWER_LIMITS, type ModelAnswer, textsOf } from "./answer.ts";
import { citableIn } from "./citable.ts";
import { evidenceIn } from "./evidence.ts";
import { type Citable, strangeNumbers, withoutNames } from "./numbers.ts";
import { shownData } from "./prompt.ts";
import { WORDING_CHECKS, wordingFaults } from "./wording.ts";

/**
 * Every check an answer has to pass before any part of it is published, in the order of the report.
 */
export const CHECKS = [
  "schema",
  "lengths",
  "evidence",
  "numbers",
  "action",
  "confidence",
  "risk",
  ...WORDING_CHECKS,
] as const;
export type CheckName = (typeof CHECKS)[number];

/** Result of one check: no problems when it is passed. */
export interface CheckResult {
  readonly check: CheckName;
  readonly problems: readonly string[];
}

/**
 * Max texts of an answer, and characters of each, that are read; more than any answer that passes
 * may have.
 */
const MAX_TEXTS = 30;
const MAX_CHARACTERS = 1_000;

/** Max problems stored of one check. */
const MAX_PROBLEMS = 10;

/** The verdict on a reply without a readable answer. */
export const unreadable = (problem: string): readonly CheckResult[] => [
  { check: "schema", problems: [problem] },
];

export const problemsOf = (verdict: readonly CheckResult[]): readonly string[] =>
  verdict.flatMap(({ check, problems }) => problems.map((problem) => `${check}: ${problem}`));

/**
 * Runs every check on an answer. Pure: the same answer to the same snapshot gets the same verdict.
 */
export const checkAnswer = (
  answer: ModelAnswer,
  snapshot: Snapshot,
  boundary: string,
): readonly CheckResult[] => {
  const evidence = new Map(evidenceIn(snapshot).map((one) => [one.id, one]));
  const citable = citableIn(snapshot, shownData(snapshot, riskIn(snapshot)));
  const found: Record<CheckName, string[]> = {
    schema: [],
    lengths: lengthProblems(answer),
    evidence: evidenceProblems(answer, evidence),
    numbers: [],
    action: actionProblems(answer, snapshot, evidence),
    confidence: confidenceProblems(answer),
    risk: riskProblems(answer.riskLevel, riskIn(snapshot)),
    privacy: [],
    links: [],
    promises: [],
    language: [],
    echo: [],
  };
  // A longer text has failed by its length, so no pattern scans a quarter of a megabyte.
  for (const { field, text: whole } of textsOf(answer).slice(0, MAX_TEXTS)) {
    const text = whole.slice(0, MAX_CHARACTERS);
    for (const number of strangeNumbers(text, citable))
      found.numbers.push(`${field} says ${quoted(number)}, which is not in the data in this form`);
    for (const { check, what } of wordingFaults(withoutNames(text, citable), shownNumber(citable)))
      found[check].push(`${field} holds ${what}`);
    if (text.includes(boundary)) found.echo.push(`${field} repeats the boundary of the data`);
  }
  return CHECKS.map((check) => ({ check, problems: found[check].slice(0, MAX_PROBLEMS) }));
};

/** A piece of the answer for a message back to the model: one line, plain, short. */
const quoted = (text: string): string =>
  JSON.stringify(text.replace(/[^\x20-\x7e%−]/g, "?").slice(0, 40));

const shownNumber =
  ({ plain, values }: Citable) =>
  (digits: string): boolean => {
    const number = Number(digits.replace(/[ -]/g, ""));
    return plain.has(number) || values.some(({ value }) => value === number);
  };

const countProblem = (
  field: string,
  count: number,
  { min, max }: { readonly min: number; readonly max: number },
): string[] =>
  count >= min && count <= max ? [] : [`${field} has ${count}, not ${min} to ${max}`];

function lengthProblems(answer: ModelAnswer): string[] {
  const { sentence, summary } = ANSWER_LIMITS;
  const texts = textsOf(answer).slice(0, MAX_TEXTS);
  return [
    ...countProblem("summary (characters)", answer.summary.trim().length, summary),
    ...(["reasoning", "assumptions", "caveats", "evidence"] as const).flatMap((list) =>
      countProblem(list, answer[list].length, ANSWER_LIMITS[list]),
    ),
    ...texts.flatMap(({ field, text }) =>
      field !== "summary" && (text.trim() === "" || text.length > sentence)
        ? [`${field} has ${text.length} characters, not 1 to ${sentence}`]
        : [],
    ),
  ];
}

function evidenceProblems(answer: ModelAnswer, known: ReadonlyMap<string, Evidence>): string[] {
  const chosen = answer.evidence.slice(0, MAX_TEXTS);
  const ids = chosen.map(({ id }) => id);
  const strange = ids
    .filter((id) => !known.has(id))
    .map((id) => `there is no evidence ${quoted(id)}`);
  const doubled = new Set(ids.filter((id, at) => ids.indexOf(id) !== at));
  const weights = chosen.filter(({ weight }) => !(weight >= 0 && weight <= 1));
  return [
    ...strange,
    ...[...doubled].map((id) => `${quoted(id)} is chosen twice`),
    ...weights.map(({ id }) => `the weight of ${quoted(id)} is not between 0 and 1`),
    ...(chosen.some(({ weight }) => weight > 0) ? [] : ["no evidence has any weight"]),
  ];
}

const SIDE: Readonly<Record<Action, number>> = { BUY: 1, HOLD: 0, SELL: -1 };

/** BUY and SELL must rest on evidence that votes their way and has more than half of the weight. */
function actionProblems(
  { action, evidence }: ModelAnswer,
  { trend, trackRecord }: Snapshot,
  known: ReadonlyMap<string, Evidence>,
): string[] {
  const side = SIDE[action];
  if (side === 0) return [];
  if (trend.score === null)
    return [`${action} although too little is known to tell a direction: HOLD`];
  const allowed = allowedActions(trend.direction, trackRecord);
  if (!allowed.includes(action))
    return [
      `${action} is not among the allowed actions (${allowed.join(", ")}): it is no better than chance here`,
    ];
  const votes = evidence.flatMap(({ id, weight }) => {
    const vote = known.get(id)?.vote ?? null;
    return vote === null ? [] : [{ vote: vote * side, weight }];
  });
  if (!votes.some(({ vote, weight }) => vote > 0 && weight > 0)) {
    return [`${action} although no chosen evidence votes for it`];
  }
  const balance = votes.reduce((sum, { vote, weight }) => sum + vote * weight, 0);
  return balance > 0 ? [] : [`${action} although the chosen evidence votes against it on balance`];
}

const confidenceProblems = ({ action, confidence }: ModelAnswer): string[] => {
  if (!(confidence >= 0 && confidence <= 1)) return ["confidence is not between 0 and 1"];
  return action !== "HOLD" && confidence < 0.5
    ? [`${action} with a confidence below 0.5: that is a reason for HOLD`]
    : [];
};

const riskProblems = (said: RiskLevel, measured: RiskLevel): string[] =>
  RISK_LEVELS.indexOf(said) >= RISK_LEVELS.indexOf(measured)
    ? []
    : [`riskLevel is ${said}, below the measured ${measured}`];
