import { iso } from "../iso.ts";
import type { AlertRule, Severity } from "./rules.ts";

/** State of one rule. Instants are epoch ms. */
export interface AlertState {
  /** `pending`: over its threshold, but not for long enough yet. */
  readonly state: "ok" | "pending" | "raised";
  /** Start of this state. */
  readonly since: number;
  /** The last reading; null when there was none yet. */
  readonly value: number | null;
  readonly lastNotified: number | null;
}

/** Notification about an alert. The id is the same however often it is sent. */
export interface Notification {
  readonly id: string;
  readonly rule: string;
  readonly kind: "raised" | "still raised" | "cleared";
  readonly severity: Severity;
  readonly value: number;
  readonly raise: number;
  readonly clear: number;
  /** Start of this state, ISO-8601. */
  readonly since: string;
  readonly at: string;
  readonly text: string;
}

export interface AlertDecision {
  readonly state: AlertState;
  readonly kind: Notification["kind"] | null;
}

/** A raised alert is repeated at most once in this time. */
export const REMIND_SECONDS = 6 * 3_600;

export const initialAlert = (now: number): AlertState => ({
  state: "ok",
  since: now,
  value: null,
  lastNotified: null,
});

/**
 * Applies a reading to a rule. It fires once when the value has been at `raise` or above for the
 * rule's time, clears once at `clear` or below, and in between repeats after REMIND_SECONDS. A null
 * reading is one that failed: it neither raises nor clears.
 */
export function decideAlert(
  rule: AlertRule,
  before: AlertState,
  reading: number | null,
  now: number,
): AlertDecision {
  if (reading === null) return { state: before, kind: null };
  const same = { ...before, value: reading };
  const raised: AlertDecision = {
    state: { state: "raised", since: now, value: reading, lastNotified: now },
    kind: "raised",
  };
  switch (before.state) {
    case "ok":
      if (reading < rule.raise) return { state: same, kind: null };
      if (rule.forSeconds === 0) return raised;
      return { state: { ...same, state: "pending", since: now }, kind: null };
    case "pending":
      if (reading < rule.raise) return { state: { ...same, state: "ok", since: now }, kind: null };
      return now - before.since >= rule.forSeconds * 1000 ? raised : { state: same, kind: null };
    case "raised":
      if (reading <= rule.clear) {
        return {
          state: { state: "ok", since: now, value: reading, lastNotified: now },
          kind: "cleared",
        };
      }
      return now - (before.lastNotified ?? before.since) >= REMIND_SECONDS * 1000
        ? { state: { ...same, lastNotified: now }, kind: "still raised" }
        : { state: same, kind: null };
  }
}

/** The notification of a decision, or null when there is none to send. */
export function notificationOf(
  rule: AlertRule,
  { state, kind }: AlertDecision,
  id: string,
  now: number,
): Notification | null {
  if (kind === null || state.value === null) return null;
  return {
    id,
    rule: rule.id,
    kind,
    severity: rule.severity,
    value: state.value,
    raise: rule.raise,
    clear: rule.clear,
    since: iso(state.since),
    at: iso(now),
    text: rule.text,
  };
}
