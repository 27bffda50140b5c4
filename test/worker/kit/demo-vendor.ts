import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { AssetRecord } from "../../../src/records/assets/asset-records.ts";
import { DAY, enqueueJob, openAsset } from "./market.ts";

const ORIGIN = "http://demo.example";

/**
 * The environment with the demo source in it; the queues and the database stay those of the test.
 */
export const withVendor = (changes: Partial<Env> = {}): Env => ({
  ...env,
  DEMO: "on",
  DEMO_SOURCE_URL: ORIGIN,
  ...changes,
});

/** The demo source's vendor in the test's hands: what it answers, and how often it was asked. */
export class Vendor {
  asked = 0;
  /** How often it was asked about each symbol. */
  readonly requestedAbout = new Map<string, number>();
  answer: (symbol: string) => Response | Promise<Response> = () =>
    new Response(null, { status: 404 });

  constructor() {
    const real = globalThis.fetch;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const url = new URL(input instanceof Request ? input.url : String(input));
      if (url.origin !== ORIGIN) return real(input, init);
      this.asked += 1;
      const symbol = decodeURIComponent(url.pathname.split("/")[2] ?? "");
      this.requestedAbout.set(symbol, (this.requestedAbout.get(symbol) ?? 0) + 1);
      const answer = await this.answer(symbol);
      return answer.headers.get(UP) === null ? answer : series(url);
    });
  }

  down(status = 503, headers: HeadersInit = {}): void {
    this.answer = () => new Response(null, { status, headers });
  }

  silent(): void {
    this.answer = () => {
      throw new DOMException("timed out", "TimeoutError");
    };
  }

  up(): void {
    this.answer = up;
  }
}

const UP = "x-answers-as-it-should";

/** Stands for three days of the symbol that is asked about. */
export const up = (): Response => new Response(null, { headers: { [UP]: "yes" } });

/** Three days of any symbol. */
function series(url: URL): Response {
  const [, , symbol, resolution] = url.pathname.split("/");
  const bars = [1, 2, 3].map((day) => ({
    date: new Date(Date.UTC(2017, 0, 1) + day * DAY).toISOString().slice(0, 10),
    open: 10,
    high: 12,
    low: 9,
    close: 11,
    volume: 100,
  }));
  return Response.json({
    symbol: decodeURIComponent(symbol ?? ""),
    resolution,
    source: "demo",
    bars,
    next: null,
  });
}

/** Assets of the demo source, and an ingest job for each; the jobs' messages are the answer. */
export async function enqueueFromVendor(symbols: readonly string[], slot: string) {
  const messages = [];
  for (const symbol of symbols) {
    const asset: Partial<AssetRecord> = { type: "CRYPTO", calendar: "CRYPTO", source: "demo" };
    await openAsset(symbol, asset);
    messages.push(
      await enqueueJob("ingest", symbol, slot, {
        params: { mode: "source", until: Date.UTC(2017, 0, 6), backfill: true },
      }),
    );
  }
  return messages;
}
