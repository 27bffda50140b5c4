import type { Random } from "../platform/random.ts";
import { ConnectionLost, type Reply, type System } from "../platform/system.ts";
import { currentUnit } from "../platform/unit.ts";

/** A request that was carried out: answered with 2xx. */
export interface Accepted {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly reply: Reply;
  /** When the answer came. */
  readonly at: number;
}

const MAX_ATTEMPTS = 14;

/** A client of the API that retries after a fault, with the same Idempotency-Key each time. */
export class Client {
  readonly system: System;
  readonly random: Random;
  readonly accepted: Accepted[] = [];
  /** POSTs that were begun, whatever came of them. */
  readonly begun: { readonly path: string; readonly tries: number }[] = [];
  readonly #name: string;
  #keys = 0;

  constructor(name: string, system: System, random: Random) {
    this.#name = name;
    this.system = system;
    this.random = random;
  }

  sleep(ms: number): Promise<void> {
    const { scheduler } = this.system.world;
    const unit = currentUnit();
    return new Promise((resolve) => {
      scheduler.at(scheduler.now + ms, unit, `${this.#name} wakes`, () => resolve());
    });
  }

  /** The answer that was not a passing fault, or null when there was none in many tries. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<Reply | null> {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const key = `${this.#name}-${this.#keys++}`;
    for (let tries = 1; tries <= MAX_ATTEMPTS; tries++) {
      const reply = await this.#once(method, `/api/v1${path}`, text, type, key);
      if (reply !== null && !isPassing(reply)) {
        this.system.world.trace(`${this.#name} ${method} ${path}: ${reply.status}`);
        if (method === "POST") this.begun.push({ path, tries });
        if (reply.status < 300)
          this.accepted.push({ method, path, body: text, reply, at: this.system.world.now });
        return reply;
      }
      await this.sleep(this.random.between(500, 20_000));
    }
    this.system.world.trace(`${this.#name} gives up ${method} ${path}`);
    if (method === "POST") this.begun.push({ path, tries: MAX_ATTEMPTS });
    return null;
  }

  async #once(
    method: string,
    path: string,
    body: string | undefined,
    type: string,
    key: string,
  ): Promise<Reply | null> {
    try {
      return await this.system.request(method, path, {
        type,
        ...(body === undefined ? {} : { body }),
        ...(method === "POST" ? { key } : {}),
      });
    } catch (error) {
      if (error instanceof ConnectionLost) return null;
      throw error;
    }
  }
}

const isPassing = ({ status, text }: Reply): boolean =>
  status >= 500 || status === 429 || (status === 409 && text.includes("idempotency_in_progress"));
