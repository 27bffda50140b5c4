import type { Answer } from "../../domain/breaker/breaker.ts";
import type { Verdict } from "../../domain/breaker/verdict.ts";
import { inTime } from "../../timeout.ts";
import { breakerObject, type Platform } from "../platform/platform.ts";

/**
 * A breaker that does not answer by then is passed over: it must not be slower than the trouble it
 * guards from.
 */
export const BREAKER_TIMEOUT_MS = 2_000;

/** What came of a guarded call: its result, or how long to leave the service alone. */
type Guarded<T> =
  | {
      readonly kind: "called";
      readonly result: T;
      /**
       * The call was let through an open breaker and did not close it, and nothing shows that
       * others are served: for so many seconds it stays open. Else null.
       */
      readonly stillOpenFor: number | null;
    }
  | {
      readonly kind: "open";
      readonly seconds: number;
      /**
       * Whom to leave alone: the service, whoever asks; the service, but another subject may be let
       * through; the subject.
       */
      readonly concerns: "everybody" | "service" | "subject";
    };

interface GuardedCall<T> {
  readonly service: string;
  /**
   * What the question is about, as an asset: so that one the service fails with is told from a
   * service that fails.
   */
  readonly subject: string;
  readonly jobId: string | null;
  /** What the call is made for; what the breaker has to tell of it is told in its trace. */
  readonly traceparent: string | null;
  readonly call: () => Promise<T>;
  readonly verdictOf: (result: T) => Verdict;
}

export type Guard = <T>(guarded: GuardedCall<T>) => Promise<Guarded<T>>;

/**
 * Breakers as one batch sees them. While a service's breaker is closed it is asked once, and calls
 * that succeed cost nothing more; while it is open everybody asks for the own subject, until it
 * says that all get the same answer. A breaker that is out itself lets every call through: it is
 * there to help.
 */
export function breakers(p: Platform): Guard {
  const gates = new Map<string, Gate>();
  return async (guarded) => {
    const { service, subject, call, verdictOf } = guarded;
    let gate = gates.get(service);
    if (gate === undefined) {
      gate = new Gate(p, service);
      gates.set(service, gate);
    }
    const leave = await gate.enter(subject);
    if (leave.kind === "wait") {
      const { seconds, shared } = leave;
      return { kind: "open", seconds, concerns: shared ? "everybody" : "service" };
    }
    const heldFor = Math.ceil(((leave.held[subject] ?? 0) - p.now()) / 1000);
    if (heldFor > 0) return { kind: "open", seconds: heldFor, concerns: "subject" };
    const calling = async () => {
      const result = await call();
      return { result, after: await gate.leave(leave, verdictOf(result), guarded) };
    };
    const { result, after } = await (leave.open ? gate.watch(calling()) : calling());
    const isStillOpen = leave.open && !leave.own && after?.kind === "wait";
    return { kind: "called", result, stillOpenFor: isStillOpen ? after.seconds : null };
  };
}

type Leave = Answer & { readonly kind: "go" };

/** One service's breaker in one batch. */
class Gate {
  readonly #p: Platform;
  readonly #service: string;
  /** What the breaker said last: null when it gave no answer, undefined before it was asked. */
  #known: Answer | null | undefined;
  /** When that was asked for, epoch ms. */
  #asOf = 0;
  /** The question that is under way, for whoever asks meanwhile. */
  #asking: Promise<unknown> | null = null;
  /** What was told once in this batch and would change nothing told again. */
  readonly #told = new Set<Verdict["kind"]>();

  constructor(p: Platform, service: string) {
    this.#p = p;
    this.#service = service;
  }

  /** Calls of this batch that were let through an open breaker and are under way. */
  readonly #out = new Set<Promise<unknown>>();

  /**
   * Asks the breaker about a subject, or takes the answer that the batch has already. Whoever would
   * have to wait while a call of the same batch finds out whether the service is back, waits for
   * that.
   */
  async enter(subject: string): Promise<Answer> {
    const answer = await this.#ruling(subject);
    if (answer.kind === "go" || this.#out.size === 0) return answer;
    await Promise.allSettled([...this.#out]);
    return this.#ruling(subject);
  }

  /** Has others of the batch know that a call is under way. */
  async watch<R>(calling: Promise<R>): Promise<R> {
    this.#out.add(calling);
    try {
      return await calling;
    } finally {
      this.#out.delete(calling);
    }
  }

  async #ruling(subject: string): Promise<Answer> {
    await this.#asking;
    const known = forAnybody(this.#known, (this.#p.now() - this.#asOf) / 1000);
    if (known !== undefined) return known;
    const { newId } = this.#p;
    const asking = this.#ask((stub) => stub.acquire(this.#service, newId(), subject));
    this.#asking = asking;
    const answer = await asking;
    if (this.#asking === asking) this.#asking = null;
    return answer ?? OUT_OF_ORDER;
  }

  /**
   * Tells the breaker how a call went, if that can change anything. The answer is how it stands
   * then, if it tells.
   */
  async leave(
    { permit, atRest, held }: Leave,
    verdict: Verdict,
    {
      subject,
      jobId,
      traceparent,
    }: Pick<GuardedCall<unknown>, "subject" | "jobId" | "traceparent">,
  ): Promise<Answer | null> {
    if (permit.epoch === UNKNOWN) return null;
    if (verdict.kind === "answered" && atRest && !Object.hasOwn(held, subject)) return null;
    const repeats = verdict.kind === "rateLimited" || verdict.kind === "rejected";
    if (repeats && atRest && this.#told.has(verdict.kind)) return null;
    this.#told.add(verdict.kind);
    return this.#ask((stub) =>
      stub.report(this.#service, permit, subject, verdict, jobId, traceparent),
    );
  }

  /** The breaker's answer, or null when it gives none. */
  async #ask(
    call: (stub: ReturnType<typeof breakerObject>) => PromiseLike<Answer>,
  ): Promise<Answer | null> {
    const service = this.#service;
    const asOf = this.#p.now();
    try {
      const asked = call(breakerObject(this.#p.env, service));
      const answer = await inTime(asked, BREAKER_TIMEOUT_MS, `the breaker of ${service}`);
      // Answers can overtake each other. One of before the last opening or closing is no news.
      if (!this.#known || epochOf(answer) >= epochOf(this.#known)) {
        this.#known = answer;
        this.#asOf = asOf;
      }
      return answer;
    } catch (error) {
      this.#known ??= null;
      this.#p.log({ level: "warn", message: "breaker passed over", service, error: String(error) });
      return null;
    }
  }
}

const epochOf = (answer: Answer): number =>
  answer.kind === "go" ? answer.permit.epoch : answer.epoch;

/** The permit of calls that no breaker knows of. */
const UNKNOWN = -1;
const OUT_OF_ORDER: Answer = {
  kind: "go",
  permit: { epoch: UNKNOWN, lease: null },
  open: false,
  atRest: true,
  held: {},
  own: false,
};

/**
 * What an answer of some seconds ago means for whoever asks now; undefined when the breaker has to
 * be asked.
 */
function forAnybody(answer: Answer | null | undefined, age: number): Answer | undefined {
  if (answer === undefined) return undefined;
  if (answer === null) return OUT_OF_ORDER;
  if (answer.kind === "go") return answer.open ? undefined : answer;
  const left = Math.ceil(answer.seconds - age);
  return answer.shared && left > 0 ? { ...answer, seconds: left } : undefined;
}
