export const SEVERITIES = ["warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Watched metrics. A larger value is worse. */
export const ALERT_METRICS = [
  "openDeadLetters",
  "oldestMessageSeconds",
  "oldestUnprojectedSeconds",
  "meanProcessingSeconds",
  "failedJobsShare",
  "openBreakers",
  "divergences",
  "stuckProcesses",
] as const;
export type AlertMetric = (typeof ALERT_METRICS)[number];

export const ALERT_RULE_IDS = [
  "dead-letters",
  "oldest-message",
  "oldest-outbox-row",
  "mean-processing-time",
  "error-rate",
  "open-breakers",
  "divergences",
  "stuck-processes",
] as const;
export type AlertRuleId = (typeof ALERT_RULE_IDS)[number];

/** Thresholds of one alert. */
export interface AlertRule {
  readonly id: AlertRuleId;
  readonly metric: AlertMetric;
  /** At this value and above the alert is raised. */
  readonly raise: number;
  /**
   * At this value and below the alert clears. Lower than `raise`, so that a value that wavers does
   * not notify.
   */
  readonly clear: number;
  /** The value must be over the threshold for so long before a notification. */
  readonly forSeconds: number;
  readonly severity: Severity;
  /** Meaning of the alert and where to check. */
  readonly text: string;
}

/** Default rules; the environment (ALERT_RULES) may change them. */
export const ALERT_RULES: readonly AlertRule[] = [
  {
    id: "dead-letters",
    metric: "openDeadLetters",
    raise: 10,
    clear: 5,
    forSeconds: 0,
    severity: "critical",
    text: "Work has exhausted its retries: read the errors in the dead letters, fix the cause, redrive.",
  },
  {
    id: "oldest-message",
    metric: "oldestMessageSeconds",
    raise: 1_800,
    clear: 600,
    forSeconds: 120,
    severity: "warning",
    text: "A message has waited in its queue for long: its consumer fails or cannot keep up.",
  },
  {
    id: "oldest-outbox-row",
    metric: "oldestUnprojectedSeconds",
    raise: 600,
    clear: 120,
    forSeconds: 60,
    severity: "critical",
    text: "Committed events do not reach the read model: an outbox, the events queue or its consumer is stuck.",
  },
  {
    id: "mean-processing-time",
    metric: "meanProcessingSeconds",
    raise: 600,
    clear: 300,
    forSeconds: 300,
    severity: "warning",
    text: "The last jobs took long on average from request to end: a vendor is slow, or retries pile up.",
  },
  {
    id: "error-rate",
    metric: "failedJobsShare",
    raise: 0.2,
    clear: 0.1,
    forSeconds: 120,
    severity: "critical",
    text: "Many of the last jobs failed for good: the newest failed jobs name the error.",
  },
  {
    id: "open-breakers",
    metric: "openBreakers",
    raise: 1,
    clear: 0,
    forSeconds: 600,
    severity: "warning",
    text: "A breaker has been open for long: a service is unavailable, or the breaker was opened manually.",
  },
  {
    id: "divergences",
    metric: "divergences",
    raise: 1,
    clear: 0,
    forSeconds: 0,
    severity: "critical",
    text: "The read model differs from the logs: see the reconciliations.",
  },
  {
    id: "stuck-processes",
    metric: "stuckProcesses",
    raise: 1,
    clear: 0,
    forSeconds: 0,
    severity: "warning",
    text: "A process has passed its deadline without an end.",
  },
];

export interface RuleChange {
  readonly raise?: number | undefined;
  readonly clear?: number | undefined;
  readonly forSeconds?: number | undefined;
  readonly severity?: Severity | undefined;
  readonly off?: boolean | undefined;
}

/** The rules with an installation's changes. A new `raise` alone keeps the distance of `clear`. */
export const withChanges = (
  rules: readonly AlertRule[],
  changes: Readonly<Partial<Record<AlertRuleId, RuleChange | undefined>>>,
): AlertRule[] =>
  rules.flatMap((rule) => {
    const change = changes[rule.id];
    if (change === undefined) return [rule];
    if (change.off === true) return [];
    const raise = change.raise ?? rule.raise;
    return [
      {
        ...rule,
        raise,
        clear:
          change.clear ??
          (change.raise === undefined ? rule.clear : (rule.clear / rule.raise) * raise),
        forSeconds: change.forSeconds ?? rule.forSeconds,
        severity: change.severity ?? rule.severity,
      },
    ];
  });

/** The reason why a rule cannot work, or null. */
export const ruleProblem = ({ id, raise, clear }: AlertRule): string[] =>
  clear < raise ? [] : [`${id} clear must be below raise, ${clear} is not below ${raise}`];
