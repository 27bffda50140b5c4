/**
 * Something outside this isolate did not answer in time. Whether it did what it was asked for is
 * not known.
 */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
  readonly code = "platform.timeout";
}

/**
 * The promise's value, or TimedOut after `ms`. What is given up on goes on unheard: a write that
 * timed out may still have happened, so whoever tries again must be able to do it twice.
 */
export async function inTime<T>(work: PromiseLike<T>, ms: number, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new TimedOut(`${what} did not answer within ${ms} ms`)),
    ms,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
