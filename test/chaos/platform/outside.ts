import { createHmac } from "node:crypto";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

const DAY = 86_400_000;

/** One call that a receiver got. */
export interface Received {
  readonly at: number;
  readonly id: string;
  readonly signature: string;
  readonly timestamp: string;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const JSON_TYPE = { "content-type": "application/json" };

/** The host under which the simulated price source answers. */
export const DEMO_URL = "http://prices.chaos.example";

/**
 * The world outside: a price source that speaks as the demo server does, and receivers of webhooks.
 */
export class Outside {
  readonly #world: World;
  readonly #random: Random;
  /** Calls by host. */
  readonly received = new Map<string, Received[]>();
  readonly #gone = new Set<string>();
  /** The series begin here, a few months before the replay does. */
  firstDay = Date.UTC(2016, 9, 3);
  /** The price source is unavailable until this is cleared. */
  isOut = false;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  fetch(input: URL | string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(input);
    const label = `fetch ${url.host}${url.pathname}`;
    const { signal } = init;
    const answered = this.#world.call<Answer>(
      "fetch",
      label,
      () => new TypeError("fetch failed"),
      (end) => {
        const { plan, scheduler } = this.#world;
        if (plan.strikes("service hangs")) return;
        const answer = this.#answer(url, init);
        const leave = () =>
          end(
            answer === null
              ? { ok: false, error: new TypeError("fetch failed") }
              : { ok: true, value: answer },
          );
        if (!plan.strikes("service slow")) return leave();
        const wait = this.#random.between(100, 20_000);
        scheduler.at(this.#world.now + wait, scheduler.network, `${label} answers at last`, leave);
      },
    );
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
      answered.then(({ status, headers, body }) => {
        const empty = status === 204 || status === 304;
        resolve(new Response(empty ? null : (body ?? ""), { status, headers: headers ?? {} }));
      }, reject);
    });
  }

  /** The answer; null when the connection breaks. */
  #answer(url: URL, init: RequestInit): Answer | null {
    const { plan } = this.#world;
    const isReceiver = url.host.startsWith("hooks");
    // A receiver may have got an event without confirming it.
    const after = isReceiver && this.#random.chance(0.5);
    if (after) this.#receive(url.host, init);
    if (plan.strikes("service fails")) {
      const status = this.#random.pick([0, 500, 502, 503, 504, 429]);
      return status === 0 ? null : { status, body: "out of order" };
    }
    if (plan.strikes("service asks to wait")) {
      const wait = String(this.#random.between(1, 600));
      return { status: this.#random.pick([429, 503]), headers: { "retry-after": wait } };
    }
    if (isReceiver) {
      if (!after) this.#receive(url.host, init);
      if (this.#gone.has(url.host)) return { status: 410 };
      if (!plan.strikes("receiver is gone"))
        return { status: this.#random.pick([200, 202, 204]), body: "thanks" };
      if (this.#random.chance(0.3)) this.#gone.add(url.host);
      return { status: 410 };
    }
    if (plan.strikes("service answers wrong")) return this.#nonsense();
    if (this.isOut) return { status: 503, body: "out of order" };
    if (url.origin === DEMO_URL) return series(url, this.firstDay);
    return null;
  }

  #receive(host: string, init: RequestInit): void {
    const headers = new Headers(init.headers);
    const call = {
      at: this.#world.now,
      id: headers.get("webhook-id") ?? "",
      signature: headers.get("webhook-signature") ?? "",
      timestamp: headers.get("webhook-timestamp") ?? "",
      body: String(init.body ?? ""),
    };
    this.received.set(host, [...(this.received.get(host) ?? []), call]);
  }

  #nonsense(): Answer {
    return this.#random.pick([
      { status: 200, headers: { "content-type": "text/html" }, body: "<!doctype html>" },
      { status: 200, headers: JSON_TYPE, body: "{" },
      { status: 200, headers: JSON_TYPE, body: '{"bars":[]}' },
      { status: 404, body: "" },
      { status: 302, headers: { location: "http://elsewhere.example" } },
    ]);
  }
}

/** Verifies the signature of a call (Standard Webhooks 1.0) with code of our own. */
export function isSigned(call: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const mac = createHmac("sha256", key)
    .update(`${call.id}.${call.timestamp}.${call.body}`)
    .digest("base64");
  return call.signature.split(" ").includes(`v1,${mac}`);
}

/** And end here, so that no run drags years of prices along. */
const LAST_DAY = Date.UTC(2017, 5, 30);
const PAGE = 40;
const INVENTED = new Set(["EURUSD"]);

/** A price that depends on the day and the symbol and nothing else. */
function priceOf(symbol: string, day: number): number {
  const phase = symbol.charCodeAt(0) + symbol.length;
  return (
    Math.round((100 + Math.sin(day / 5 + phase) * 9 + Math.cos(day / 17) * 14 + day / 90) * 100) /
    100
  );
}

function series(url: URL, firstDay: number): Answer {
  const [, symbol = "", resolution = ""] = /^\/series\/([^/]+)\/([^/]+)$/.exec(url.pathname) ?? [];
  const from = Math.max(Date.parse(url.searchParams.get("from") ?? ""), firstDay);
  const to = Math.min(Date.parse(url.searchParams.get("to") ?? ""), LAST_DAY);
  const days: number[] = [];
  for (let day = from; day <= to && days.length <= PAGE; day += DAY) {
    const date = new Date(day);
    const open = symbol === "BTC-USD" || (date.getUTCDay() !== 0 && date.getUTCDay() !== 6);
    if (open && (resolution === "1d" || date.getUTCDate() === 1)) days.push(day);
  }
  const next = days[PAGE];
  const bars = days.slice(0, PAGE).map((day) => {
    const close = priceOf(symbol, day / DAY);
    return {
      date: dateOf(day),
      open: close - 1,
      high: close + 2,
      low: close - 2,
      close,
      volume: 1000 + ((day / DAY) % 7),
    };
  });
  const body = {
    symbol: decodeURIComponent(symbol),
    resolution,
    source: INVENTED.has(symbol) ? "synthetic" : "demo",
    currency: "USD",
    bars,
    next: next === undefined ? null : dateOf(next),
  };
  return { status: 200, headers: JSON_TYPE, body: JSON.stringify(body) };
}

const dateOf = (day: number): string => new Date(day).toISOString().slice(0, 10);
