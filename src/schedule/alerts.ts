import {
  type AlertState,
  decideAlert,
  initialAlert,
  type Notification,
  notificationOf,
} from "../domain/alert/alert.ts";
import type { AlertMetric, AlertRule } from "../domain/alert/rules.ts";

export type Readings = Readonly<Partial<Record<AlertMetric, number | null>>>;

/** A rule as recorded. */
interface RecordedAlert extends AlertState {
  readonly rule: string;
  readonly readAt: number;
  readonly pending: readonly Notification[];
}

interface AlertChange extends RecordedAlert {
  /** When the alert it was made from was read, epoch ms; null when there was none. */
  readonly readBefore: number | null;
  /** The new notification, for the audit. */
  readonly news: Notification | null;
}

export interface AlertsDeps {
  readonly rules: readonly AlertRule[];
  readonly load: () => Promise<readonly RecordedAlert[]>;
  /** A reading that cannot be taken is null. */
  readonly readings: () => Promise<Readings>;
  /** One transaction: states, notifications to send, and an audit row for each transition. */
  readonly record: (changes: readonly AlertChange[]) => Promise<void>;
  /** Sends a notification; true if it was taken. */
  readonly notify: (notification: Notification) => Promise<boolean>;
  readonly forget: (rule: string, ids: readonly string[]) => Promise<void>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

/** Min time between two readings, however often the clock ticks. */
const READ_EVERY_MS = 30_000;
/** While the receiver is unavailable the newest of its pending notifications are kept. */
const MAX_PENDING = 20;
/** Per tick; the rest waits for the next. */
const MAX_NOTIFIED = 20;

/**
 * Evaluates the alert rules and sends notifications. A notification is recorded with its transition
 * and sent until it is taken. Never throws: the tick has more important work.
 */
export async function watchAlerts(deps: AlertsDeps): Promise<void> {
  try {
    let alerts = await deps.load();
    const newest = Math.max(0, ...alerts.map(({ readAt }) => readAt));
    if (deps.now() - newest >= READ_EVERY_MS) {
      await evaluate(new Map(alerts.map((alert) => [alert.rule, alert])), deps);
      alerts = await deps.load();
    }
    await sendPending(alerts, deps);
  } catch (error) {
    deps.log({ level: "error", message: "alerts not watched", error: String(error) });
  }
}

async function evaluate(
  recorded: ReadonlyMap<string, RecordedAlert>,
  deps: AlertsDeps,
): Promise<void> {
  const readings = await deps.readings();
  const now = deps.now();
  const changes = deps.rules.map((rule): AlertChange => {
    const before = recorded.get(rule.id);
    const decision = decideAlert(
      rule,
      before ?? initialAlert(now),
      readings[rule.metric] ?? null,
      now,
    );
    const news = notificationOf(rule, decision, deps.newId(), now);
    const pending = [...(before?.pending ?? []), ...(news === null ? [] : [news])].slice(
      -MAX_PENDING,
    );
    return {
      ...decision.state,
      rule: rule.id,
      readAt: now,
      pending,
      readBefore: before?.readAt ?? null,
      news,
    };
  });
  await deps.record(changes);
}

async function sendPending(alerts: readonly RecordedAlert[], deps: AlertsDeps): Promise<void> {
  let left = MAX_NOTIFIED;
  for (const { rule, pending } of alerts) {
    const taken: string[] = [];
    // In order: that something is well again must not come before that it was not.
    for (const notification of pending) {
      if (left-- <= 0 || !(await deps.notify(notification))) break;
      taken.push(notification.id);
    }
    if (taken.length > 0) await deps.forget(rule, taken);
  }
}
