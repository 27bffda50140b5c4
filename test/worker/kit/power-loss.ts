import { env } from "cloudflare:workers";
import { vi } from "vitest";

/**
 * The power of a machine that can be cut at any call to D1 or the ingest queue: from then on every
 * call fails, until it is back. The call at which it went may have taken effect or not.
 */
export class Power {
  #calls = 0;
  #cutAt = Number.POSITIVE_INFINITY;
  #takesEffect = false;
  #watching = false;

  constructor() {
    const { DB, INGEST_QUEUE } = env;
    const statement: object = Object.getPrototypeOf(DB.prepare("SELECT 1"));
    for (const method of ["run", "all", "first"] as const) this.#watch(statement, method);
    this.#watch(DB, "batch");
    this.#watch(INGEST_QUEUE, "sendBatch");
  }

  #watch(owner: object, method: string): void {
    const power = this;
    const found: unknown = Reflect.get(owner, method);
    // The broker stands in for the queues already; what it does is what is cut.
    const real = vi.isMockFunction(found) ? found.getMockImplementation() : found;
    if (typeof real !== "function") throw new Error(`there is no ${method}`);
    vi.spyOn(owner as Record<string, (...values: unknown[]) => unknown>, method).mockImplementation(
      async function (this: unknown, ...values: unknown[]) {
        if (!power.#watching) return Reflect.apply(real, this, values);
        power.#calls += 1;
        if (power.#calls < power.#cutAt) return Reflect.apply(real, this, values);
        if (power.#calls === power.#cutAt && power.#takesEffect)
          await Reflect.apply(real, this, values);
        throw new Error("the power is out");
      },
    );
  }

  /**
   * Does the work with the power going at the call number `cutAt`. Tells whether the work came that
   * far.
   */
  async cutDuring(
    cutAt: number,
    takesEffect: boolean,
    work: () => Promise<unknown>,
  ): Promise<boolean> {
    this.#calls = 0;
    this.#cutAt = cutAt;
    this.#takesEffect = takesEffect;
    this.#watching = true;
    await work().catch(() => undefined);
    this.#watching = false;
    return this.#calls >= cutAt;
  }
}
