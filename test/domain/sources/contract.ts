import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededUniform } from "../../../local/seeded-random.ts";
import type { Bar } from "../../../src/domain/asset/bar.ts";
import { checkBars } from "../../../src/domain/asset/check-bars.ts";
import { actionKey, type CorporateAction } from "../../../src/domain/asset/corporate-action.ts";
import { barKey } from "../../../src/domain/market/bar-key.ts";
import {
  type HistoryRequest,
  type PriceSource,
  SOURCE_REFUSALS,
  type SourceAnswer,
} from "../../../src/sources/price-source.ts";
import { type Vendor, type VendorOptions, vendorSource } from "../../../src/sources/vendor.ts";
import { MARK, mutated } from "./mutate.ts";
import { localFetch, type Reply, startVendor, type VendorServer } from "./vendor-server.ts";

/** The case of one vendor, in addition to the common contract. */
export interface VendorCase {
  readonly vendor: Vendor;
  /** When the answers are read, epoch ms. */
  readonly now: number;
  readonly request: HistoryRequest;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Form of the key; undefined for a vendor without one. */
  readonly authorization?: string;
  /** The documented answer, traps included, and its expected result. */
  readonly body: unknown;
  readonly bars: readonly Bar[];
  /** Dividends and splits of the documented answer. */
  readonly actions?: readonly CorporateAction[];
  /** Answers that hold no bar for the period. */
  readonly nothing: readonly (readonly [string, Reply])[];
  readonly refusals: readonly (readonly [string, Reply, Partial<SourceAnswer>])[];
  /** Requests that are refused without a call. */
  readonly unserved: readonly (readonly [string, Partial<HistoryRequest>])[];
  /** Number of requests for everything up to `request.to`. */
  readonly pages: number;
}

const KEY = "key-0815-not-to-be-seen";
const HTML = "<!doctype html><title>Just a moment...</title>";
const HTTP_DATE = "Wed, 10 Jan 2024 20:05:00 GMT";

/** The promises every vendor's source keeps, tried against a real server on this machine. */
export function vendorContract(one: VendorCase): void {
  const { vendor, request, now } = one;
  let server: VendorServer;
  beforeAll(async () => {
    server = await startVendor();
  });
  afterAll(() => server.close());

  const source = (changes: Partial<VendorOptions> = {}): PriceSource =>
    vendorSource(vendor, {
      baseUrl: server.url,
      key: vendor.needsKey ? KEY : "",
      fetch: localFetch,
      timeoutMs: 5_000,
      userAgent: "InversorAI/test",
      now: () => now,
      ...changes,
    });
  const ask = async (
    reply: Reply | null,
    changes: Partial<VendorOptions> = {},
  ): Promise<SourceAnswer> => {
    server.asked.length = 0;
    server.reply = () => reply;
    const answer = await source(changes).history(request);
    expect(JSON.stringify(answer)).not.toContain(KEY);
    return answer;
  };

  describe(`${vendor.name}, asked`, () => {
    test("gets the documented request, and its key in no address", async () => {
      await ask({ body: one.body });
      expect(server.asked).toHaveLength(1);
      const [asked] = server.asked;
      expect(asked?.url.pathname).toBe(one.path);
      expect(Object.fromEntries(asked?.url.searchParams ?? [])).toEqual(one.query);
      expect(asked?.headers).toMatchObject({
        accept: "application/json",
        "user-agent": "InversorAI/test",
      });
      expect(asked?.headers["authorization"]).toBe(one.authorization?.replace("KEY", KEY));
      expect(asked?.url.href).not.toContain(KEY);
    });

    test("gives the bars of the documented answer, final ones only, oldest first, under our keys", async () => {
      const answer = await ask({ body: one.body });
      expect(answer).toMatchObject({ outcome: "bars", source: vendor.name, bars: one.bars });
      expect("actions" in answer ? answer.actions : undefined).toEqual(one.actions);
    });

    test.each(one.nothing)("has NoData: %s", async (_, reply) => {
      expect(await ask(reply)).toMatchObject({ outcome: "NoData" });
    });

    test.each(one.refusals)("refuses: %s", async (_, reply, refused) => {
      expect(await ask(reply)).toMatchObject(refused);
    });

    test.each(one.unserved)("does not serve %s, and makes no call", async (_, changes) => {
      server.asked.length = 0;
      const asking = { ...request, ...changes };
      const outcome = "from" in changes ? "NoData" : "NotConfigured";
      expect(source().unaskable?.(asking)).toMatchObject({ outcome });
      expect(await source().history(asking)).toMatchObject({ outcome });
      expect(server.asked).toEqual([]);
    });

    test("without an address or a needed key is not configured", async () => {
      expect(await ask(null, { baseUrl: "nowhere" })).toMatchObject({ outcome: "NotConfigured" });
      if (vendor.needsKey)
        expect(await ask(null, { key: "" })).toMatchObject({
          outcome: "NotConfigured",
          detail: expect.stringMatching(/needs [A-Z_]+_API_KEY$/),
        });
      expect(server.asked).toEqual([]);
    });

    test("asks for a long history piece by piece, without a gap", async () => {
      const place = { baseUrl: server.url, key: KEY, now };
      server.reply = () => ({ body: EMPTY[vendor.name] });
      let from: number | null = 0;
      let pages = 0;
      while (from !== null && pages < 60) {
        const question = vendor.question({ ...request, from }, place);
        if ("outcome" in question) throw new Error(question.detail);
        const { window } = question;
        // Only before the first bar there can be is time left out.
        if (pages > 0) expect(window.from).toBe(from);
        expect(window.next ?? request.to + 1).toBe(window.to + 1);
        const answer = await source().history({ ...request, from });
        expect(answer).toMatchObject(
          window.next === null
            ? { outcome: "NoData" }
            : { outcome: "bars", bars: [], next: window.next },
        );
        from = window.next;
        pages += 1;
      }
      expect(pages).toBe(one.pages);
    });
  });

  describe(`${vendor.name}, in trouble`, () => {
    test.each<[number, Record<string, string>, Partial<SourceAnswer>]>([
      [401, {}, { outcome: "NotConfigured" }],
      [403, {}, { outcome: "NotConfigured" }],
      [404, {}, { outcome: "MalformedPayload" }],
      [408, {}, { outcome: "Timeout" }],
      [418, { "retry-after": "120" }, { outcome: "RateLimited", retryAfterSeconds: 120 }],
      [429, { "retry-after": "7" }, { outcome: "RateLimited", retryAfterSeconds: 7 }],
      [429, { "retry-after": HTTP_DATE }, { outcome: "RateLimited", retryAfterSeconds: 300 }],
      [429, { "retry-after": "soon" }, { outcome: "RateLimited" }],
      [429, { "retry-after": "Jan, 1 GMT" }, { outcome: "RateLimited" }],
      [
        429,
        { "retry-after": "99999999999999999999" },
        { outcome: "RateLimited", retryAfterSeconds: 86_400 },
      ],
      [503, { "retry-after": "2000000" }, { outcome: "Unavailable", retryAfterSeconds: 86_400 }],
      [451, {}, { outcome: "GeoBlocked" }],
      [500, {}, { outcome: "Unavailable" }],
      [502, {}, { outcome: "Unavailable" }],
      [503, { "retry-after": "30" }, { outcome: "Unavailable", retryAfterSeconds: 30 }],
      [504, {}, { outcome: "Timeout" }],
      [302, { location: "http://elsewhere.example/" }, { outcome: "MalformedPayload" }],
      [400, {}, { outcome: "MalformedPayload" }],
    ])("%d %o with a page for people", async (status, headers, expected) => {
      const reply = { status, headers: { "content-type": "text/html", ...headers }, body: HTML };
      const answer = await ask(reply, { now: () => Date.UTC(2024, 0, 10, 20) });
      expect(answer).toMatchObject(expected);
      expect("retryAfterSeconds" in answer).toBe("retryAfterSeconds" in expected);
      expect(JSON.stringify(answer)).not.toContain("moment");
    });

    test.each<[string, Reply]>([
      [
        "a page for people with status 200",
        { headers: { "content-type": "text/html" }, body: HTML },
      ],
      ["an HTML page labelled as JSON", { body: HTML }],
      ["JSON labelled as text", { headers: { "content-type": "text/plain" }, body: one.body }],
      ["no body", { body: "" }],
      ["half of a body", { body: JSON.stringify(one.body).slice(0, -20) }],
      ["JSON of another kind", { body: [["no", "bars"]] }],
      ["null", { body: "null" }],
      ["more than eight megabytes", { body: " ".repeat(8 * 1_048_576) + JSON.stringify(one.body) }],
    ])("MalformedPayload: %s", async (_, reply) => {
      expect(await ask(reply)).toMatchObject({ outcome: "MalformedPayload" });
    });

    test("Timeout: no answer, or half of one and then silence", async () => {
      expect(await ask(null, { timeoutMs: 100 })).toMatchObject({ outcome: "Timeout" });
      expect(await ask({ body: one.body, after: "hang" }, { timeoutMs: 300 })).toMatchObject({
        outcome: "Timeout",
      });
    });

    test("Unavailable: a body that breaks off, a port without a listener", async () => {
      expect(await ask({ body: one.body, after: "cut" })).toMatchObject({ outcome: "Unavailable" });
      expect(await ask(null, { baseUrl: "http://127.0.0.1:1" })).toMatchObject({
        outcome: "Unavailable",
      });
    });

    test("an error keeps its meaning though its body breaks off", async () => {
      const answer = await ask({ status: 503, body: one.body, after: "cut" });
      expect(answer).toMatchObject({ outcome: "Unavailable", detail: "the source answered 503" });
    });
  });

  test(`${vendor.name}: of 1,000 damaged answers none throws, repeats the vendor's words or brings a bad bar`, async () => {
    const random = seededUniform(20240110);
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 1_000; round++) {
      const body = mutated(one.body, random);
      const status = random() < 0.9 ? 200 : 429;
      const headers = { "content-type": "application/json" };
      const damaged = (async () => new Response(body, { status, headers })) as typeof fetch;
      const answer = await source({ fetch: damaged }).history(request);
      outcomes.set(answer.outcome, (outcomes.get(answer.outcome) ?? 0) + 1);
      expect(JSON.stringify(answer), body).not.toContain(MARK);
      if (answer.outcome === "bars") {
        expectGood(answer.bars, one, body);
        expectPossible(answer.actions ?? [], answer.bars, now, body);
      } else expect(SOURCE_REFUSALS, body).toContain(answer.outcome);
    }
    // Damage that is always refused, or never, would prove nothing.
    expect(outcomes.get("bars") ?? 0).toBeGreaterThan(50);
    expect(outcomes.get("MalformedPayload") ?? 0).toBeGreaterThan(200);
  });
}

function expectGood(bars: readonly Bar[], { request, now }: VendorCase, body: string): void {
  const { resolution, calendar, from, to } = request;
  const keyOf = (instant: number) => barKey(resolution, calendar, instant);
  const rows = bars.map((bar, index) => ({ row: index + 1, line: null, bar }));
  expect(checkBars(rows, { now, resolution, keyOf }), body).toMatchObject({
    ok: true,
    bars,
    folded: 0,
  });
  expect(bars.length, body).toBeGreaterThan(0);
  for (const { timestamp } of bars) expect(timestamp >= from && timestamp <= to, body).toBe(true);
}

/**
 * Whatever the damage: of past days, one of a kind a day, above nothing and below the close before.
 */
function expectPossible(
  actions: readonly CorporateAction[],
  bars: readonly Bar[],
  now: number,
  body: string,
): void {
  expect(new Set(actions.map(actionKey)).size, body).toBe(actions.length);
  for (const action of actions) {
    expect(action.exDate % 86_400_000, body).toBe(0);
    expect(action.exDate > Date.UTC(1899, 0, 1) && action.exDate <= now, body).toBe(true);
    const { type: _, exDate, ...numbers } = action;
    for (const value of Object.values(numbers)) expect(value > 0 && value <= 1e15, body).toBe(true);
    const before = bars.findLast(({ timestamp }) => timestamp < exDate);
    if (action.type === "dividend" && before !== undefined)
      expect(action.amount, body).toBeLessThan(before.close);
  }
}

/** Each vendor's answer for an empty window. */
const EMPTY: Readonly<Record<Vendor["name"], unknown>> = {
  yahoo: {
    chart: {
      result: [{ meta: { currency: "USD", symbol: "AAPL" }, indicators: { quote: [{}] } }],
      error: null,
    },
  },
  coinbase: [],
  kraken: { error: [], result: { XXBTZUSD: [], last: 0 } },
  frankfurter: { amount: 1.0, base: "EUR", start_date: null, end_date: null, rates: {} },
  twelvedata: { meta: { symbol: "AAPL", currency: "USD" }, values: [], status: "ok" },
  tiingo: [],
};
