import type { Bar } from "../../domain/asset/bar.ts";
import type { CorporateAction } from "../../domain/asset/corporate-action.ts";
import { toSnakeCase } from "../../domain/job/error-codes.ts";
import { faultClassOf, TREATMENTS } from "../../domain/job/fault.ts";
import { mayPassOver } from "../../domain/market/vendor.ts";
import { later, type Outcome, type Problem, refused } from "../../domain/outcome.ts";

/**
 * A price source's answer as this worker needs it: bars and where they come from, or why there are
 * none.
 */
export type Prices =
  | {
      readonly outcome: "bars";
      /** None only when `next` says where to go on. */
      readonly bars: readonly Bar[];
      readonly source: string;
      readonly next: number | null;
      readonly actions?: readonly CorporateAction[];
      readonly note?: string;
      /** Instants (epoch ms) of rows that were left out because the market was closed then. */
      readonly offSession?: readonly number[];
    }
  | {
      readonly outcome: string;
      readonly detail: string;
      readonly retryAfterSeconds?: number;
      /** It was asked though its breaker was open, which it still is for so many seconds. */
      readonly stillOpenFor?: number;
      readonly offSession?: readonly number[];
    };

type Refusal = Exclude<Prices, { readonly outcome: "bars" }>;

/** A source that gave nothing, and why the next one was asked, or nobody. */
interface Tried {
  readonly source: string;
  readonly outcome: string;
  readonly detail: string;
}

/** All pages of one source, and of no other. */
interface Series {
  readonly bars: readonly Bar[];
  readonly actions: readonly CorporateAction[];
  readonly source: string;
  readonly notes: readonly string[];
  readonly offSession: readonly number[];
}

/** That a source knows the asset and has no bar of the time asked for. */
interface Silence {
  readonly source: string;
  readonly detail: string;
  readonly offSession: readonly number[];
}

/** What asking came to. */
export type SourceAnswer =
  | { readonly kind: "answered"; readonly series: Series; readonly tried: readonly Tried[] }
  | {
      readonly kind: "answered";
      readonly series: null;
      readonly silence: Silence;
      readonly tried: readonly Tried[];
    }
  | { readonly kind: "failed"; readonly outcome: Outcome<never>; readonly tried: readonly Tried[] };

const MAX_PAGES = 50;

/**
 * Asks the sources in their order until one answers. A later one is asked only when the one before
 * is out, limits us or does not serve us; one that has begun to answer is not exchanged, so that no
 * series is of two sources.
 */
export async function askSources(
  candidates: readonly string[],
  from: number,
  ask: (source: string, from: number) => Promise<Prices>,
): Promise<SourceAnswer> {
  const tried: Tried[] = [];
  const refusals: Refusal[] = [];
  for (const source of candidates) {
    const answer = await readPages(source, from, ask);
    if (answer.kind === "series") return { kind: "answered", series: answer.series, tried };
    if (answer.kind === "silence")
      return { kind: "answered", series: null, silence: answer.silence, tried };
    if (answer.kind === "broken")
      return { kind: "failed", outcome: ending([answer.refusal], []), tried };
    const { outcome, detail, offSession = [] } = answer.refusal;
    if (outcome === "NoData" && refusals.length === 0)
      return { kind: "answered", series: null, silence: { source, detail, offSession }, tried };
    tried.push({ source, outcome, detail });
    refusals.push(answer.refusal);
    if (!mayPassOver(outcome)) break;
  }
  return { kind: "failed", outcome: ending(refusals, tried), tried };
}

type Pages =
  | { readonly kind: "series"; readonly series: Series }
  | { readonly kind: "silence"; readonly silence: Silence }
  /** Refused before anything was given. */
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "broken"; readonly refusal: Refusal };

async function readPages(
  source: string,
  start: number,
  ask: (source: string, from: number) => Promise<Prices>,
): Promise<Pages> {
  const bars: Bar[] = [];
  const actions: CorporateAction[] = [];
  const notes = new Set<string>();
  const offSession: number[] = [];
  let origin = source;
  let from: number | null = start;
  for (let page = 0; page < MAX_PAGES && from !== null; page++) {
    const answer: Prices = await ask(source, from);
    for (const instant of answer.offSession ?? []) offSession.push(instant);
    if (!("bars" in answer)) {
      if (page === 0) return { kind: "refused", refusal: answer };
      if (answer.outcome !== "NoData") return { kind: "broken", refusal: answer };
      break;
    }
    origin = answer.source;
    for (const bar of answer.bars) bars.push(bar);
    for (const action of answer.actions ?? []) actions.push(action);
    if (answer.note !== undefined) notes.add(answer.note);
    from = answer.next;
  }
  if (from !== null && bars.length > 0)
    notes.add(`${source} has more: the next run goes on after ${new Date(from).toISOString()}`);
  const detail = `${source} has no bar in this period`;
  return bars.length === 0
    ? { kind: "silence", silence: { source, detail, offSession } }
    : { kind: "series", series: { bars, actions, source: origin, notes: [...notes], offSession } };
}

/**
 * How a job ends that nobody served: by the first refusal that is worth waiting for, else by one
 * that says what is wrong with the asset, else by the first. That a fallback has no data, or no
 * key, must not turn another's outage into an end.
 */
function ending(refusals: readonly Refusal[], tried: readonly Tried[]): Outcome<never> {
  const chosen =
    refusals.find((one) => !givesUp(one)) ??
    refusals.find(({ outcome }) => outcome === "UnknownSymbol" || outcome === "Delisted") ??
    refusals[0];
  if (chosen === undefined)
    return refused({ code: "source.not_configured", detail: "no source may be asked" });
  const all = tried.map(({ source, detail }) => `${source}: ${detail}`).join("; ");
  const problem: Problem = { code: codeOf(chosen), detail: tried.length > 1 ? all : chosen.detail };
  if (givesUp(chosen)) return refused(problem);
  const { retryAfterSeconds, stillOpenFor } = chosen;
  if (stillOpenFor === undefined) return later(problem, retryAfterSeconds);
  const afterSeconds = Math.max(stillOpenFor, retryAfterSeconds ?? 0);
  return { kind: "later", error: problem, afterSeconds, sparesLast: true };
}

const codeOf = ({ outcome }: Refusal): string =>
  outcome === "BreakerOpen" ? "breaker.open" : `source.${toSnakeCase(outcome)}`;

/** A fallback's NoData ends nothing by itself: it is told as what the source before it said. */
const givesUp = (answer: Refusal): boolean =>
  answer.outcome === "NoData" || TREATMENTS[faultClassOf(codeOf(answer))].action === "fail";
