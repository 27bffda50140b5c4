/** A trigger may come late (a busy platform, a laptop that slept), and clocks differ by little. */
const LATEST_MS = 3_600_000;
const EARLIEST_MS = 300_000;

/**
 * The reason why a cron trigger's own time cannot be right, or null. Market time follows it and
 * never goes back, so a time from far ahead would hold up every schedule until then. Instants are
 * epoch milliseconds.
 */
export function triggerTimeProblem(scheduledTime: number, now: number): string | null {
  // Written so that NaN is refused as well.
  if (scheduledTime - now <= EARLIEST_MS && now - scheduledTime <= LATEST_MS) return null;
  const said = Number.isFinite(scheduledTime)
    ? `${Math.round((scheduledTime - now) / 1000)} s from now`
    : "no time";
  return `the trigger's time is ${said}; it may be ${LATEST_MS / 1000} s behind and ${EARLIEST_MS / 1000} s ahead`;
}

/** True if a recorded time is further ahead than any trigger could have set it. */
export const isAhead = (recorded: number, now: number): boolean => recorded - now > EARLIEST_MS;
