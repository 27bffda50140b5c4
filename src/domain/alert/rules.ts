export const SEVERITIES = ["warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What is watched, each a number that is worse the larger it is. */
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

/** When somebody is to be told. */
export interface AlertRule {
  readonly id: AlertRuleId;
  readonly metric: AlertMetric;
  /** At this value and above it is bad. */
  readonly raise: number;
  /**
   * At this value and below it is good again; lower than `raise`, so that a value that wavers tells
   * nothing.
   */
  readonly clear: number;
  /** It must be bad for so long before anybody is told. */
  readonly forSeconds: number;
  readonly severity: Severity;
  /** What it means and where to look. */
  readonly text: string;
}

/** The rules unless the environment says otherwise (ALERT_RULES). */
export const ALERT_RULES: readonly AlertRule[] = [
  {
    id: "dead-letters",
    metric: "openDeadLetters",
    raise: 10,
    clear: 5,
    forSeconds: 0,
    severity: "critical",
    text: "Work that gave up waits for somebody: read the errors in the dead letters, mend the cause, redrive.",
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
    text: "From order to end the last jobs took long on average: a vendor is slow, or retries pile up.",
  },
  {
    id: "error-rate",
    metric: "failedJobsShare",
    raise: 0.2,
    clear: 0.1,
    forSeconds: 120,
    severity: "critical",
    text: "Of the last jobs many failed for good: the newest failed jobs name the error.",
  },
  {
    id: "open-breakers",
    metric: "openBreakers",
    raise: 1,
    clear: 0,
    forSeconds: 600,
    severity: "warning",
    text: "A breaker has been open for long: an external service is out, or somebody holds it open.",
  },
  {
    id: "divergences",
    metric: "divergences",
    raise: 1,
    clear: 0,
    forSeconds: 0,
    severity: "critical",
    text: "The read model was found to differ from the logs: see the reconciliations.",
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

/**
 * The rules with what an installation says about them. A new `raise` alone keeps the distance of
 * `clear`.
 */
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

/** Why a rule cannot work. */
export const ruleProblem = ({ id, raise, clear }: AlertRule): string[] =>
  clear < raise ? [] : [`${id} clear must be below raise, ${clear} is not below ${raise}`];
