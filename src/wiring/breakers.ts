import type { Answer } from "../domain/breaker/breaker.ts";
import type { Verdict } from "../domain/breaker/verdict.ts";
import { inTime } from "../timeout.ts";
import { breakerObject, type Platform } from "./common.ts";

/** A breaker that does not answer by then is passed over: it must not be slower than the trouble it guards from. */
export const BREAKER_TIMEOUT_MS = 2_000;

/** While somebody else's probe is out, its outcome is known soon. */
const PROBE_SECONDS = 5;

/** What came of a guarded call: its result, or how long to leave the service alone. */
export type Guarded<T> =
  | {
      readonly kind: "called";
      readonly result: T;
      /** The call was the probe and it failed: for so many seconds the breaker stays open. Else null. */
      readonly reopenedFor: number | null;
    }
  | { readonly kind: "open"; readonly seconds: number };

export interface GuardedCall<T> {
  readonly service: string;
  readonly jobId: string | null;
  /** What the call is made for; what the breaker has to tell of it is told in its trace. */
  readonly traceparent: string | null;
  readonly call: () => Promise<T>;
  readonly verdictOf: (result: T) => Verdict;
}

export type Guard = <T>(guarded: GuardedCall<T>) => Promise<Guarded<T>>;

/**
 * Breakers as one batch sees them. Each service's breaker is asked once; while it is closed and without failures, calls
 * that succeed cost nothing more. A breaker that is out itself lets every call through: it is there to help.
 */
export function breakers(p: Platform): Guard {
  const gates = new Map<string, Gate>();
  return async (guarded) => {
    const { service, call, verdictOf } = guarded;
    let gate = gates.get(service);
    if (gate === undefined) {
      gate = new Gate(p, service);
      gates.set(service, gate);
    }
    const leave = await gate.enter();
    if (leave.kind === "wait") return { kind: "open", seconds: leave.seconds };
    const result = await call();
    const after = await gate.leave(leave, verdictOf(result), guarded);
    const wasProbe = leave.permit.lease !== null;
    return { kind: "called", result, reopenedFor: wasProbe && after?.kind === "wait" ? after.seconds : null };
  };
}

type Leave = Answer & { readonly kind: "go" };

/** One service's breaker in one batch. */
class Gate {
  readonly #p: Platform;
  readonly #service: string;
  #answer: Promise<Answer | null> | null = null;
  /** When the answer was asked for or told, epoch ms. */
  #asOf = 0;
  /** Leases that a call of this batch has. */
  readonly #taken = new Set<string>();
  /** What was told once in this batch and would change nothing told again. */
  readonly #told = new Set<Verdict["kind"]>();

  constructor(p: Platform, service: string) {
    this.#p = p;
    this.#service = service;
  }

  /** Asks the breaker, or takes the answer that the batch has already. */
  async enter(): Promise<Answer> {
    const { newId, now } = this.#p;
    this.#answer ??= this.#note(this.#ask((stub) => stub.acquire(this.#service, newId())));
    const answer = await this.#answer;
    if (answer === null) return OUT_OF_ORDER;
    if (answer.kind === "wait") {
      const left = Math.ceil(answer.seconds - (now() - this.#asOf) / 1000);
      if (left > 0) return { kind: "wait", seconds: left };
      this.#answer = null;
      return this.enter();
    }
    const { lease } = answer.permit;
    if (lease === null) return answer;
    // A lease is for one call. Whoever comes meanwhile waits for what it finds out.
    if (this.#taken.has(lease)) return { kind: "wait", seconds: PROBE_SECONDS };
    this.#taken.add(lease);
    return answer;
  }

  /** Tells the breaker how a call went, if that can change anything. The answer is how it stands then, if it tells. */
  async leave(
    { permit, atRest }: Leave,
    verdict: Verdict,
    { jobId, traceparent }: Pick<GuardedCall<unknown>, "jobId" | "traceparent">,
  ): Promise<Answer | null> {
    if (permit.epoch === UNKNOWN) return null;
    if (verdict.kind === "answered" && atRest) return null;
    const repeats = verdict.kind === "rateLimited" || verdict.kind === "rejected";
    if (repeats && atRest && this.#told.has(verdict.kind)) return null;
    this.#told.add(verdict.kind);
    const told = this.#ask((stub) => stub.report(this.#service, permit, verdict, jobId, traceparent));
    const answer = await told;
    if (answer !== null) this.#answer = this.#note(told);
    return answer;
  }

  #note(answer: Promise<Answer | null>): Promise<Answer | null> {
    this.#asOf = this.#p.now();
    return answer;
  }

  /** The breaker's answer, or null when it gives none. */
  async #ask(call: (stub: ReturnType<typeof breakerObject>) => PromiseLike<Answer>): Promise<Answer | null> {
    const service = this.#service;
    try {
      const asked = call(breakerObject(this.#p.env, service));
      return await inTime(asked, BREAKER_TIMEOUT_MS, `the breaker of ${service}`);
    } catch (error) {
      this.#p.log({ level: "warn", message: "breaker passed over", service, error: String(error) });
      return null;
    }
  }
}

/** The permit of calls that no breaker knows of. */
const UNKNOWN = -1;
const OUT_OF_ORDER: Answer = { kind: "go", permit: { epoch: UNKNOWN, lease: null }, atRest: true };
