import { sourceService } from "../../domain/breaker/service.ts";
import { verdictOfSource } from "../../domain/breaker/verdict.ts";
import type { AssetType } from "../../domain/market/asset-type.ts";
import { DEMO_SECOND } from "../../domain/market/demo-catalogue.ts";
import { candidatesFor, isVendorName, type VendorName } from "../../domain/market/vendor.ts";
import { continueTrace } from "../../domain/trace/traceparent.ts";
import type { IngestDeps } from "../../queues/ingest/ingest-deps.ts";
import { demoSource } from "../../sources/demo.ts";
import { giveBack, reserveSlot, type Turns } from "../../sources/pace.ts";
import { type PriceSource, refusal, type SourceFailure } from "../../sources/price-source.ts";
import { vendorSource } from "../../sources/vendor.ts";
import { VENDORS } from "../../sources/vendors.ts";
import { breakers } from "../operations/breakers.ts";
import type { Platform } from "../platform/platform.ts";

export const SOURCE_TIMEOUT_MS = 10_000;

/**
 * Whom an ingest job may ask, and how: through the source's breaker, in its turn, as whom the
 * configuration says.
 */
export function priceDeps(p: Platform): Pick<IngestDeps, "candidates" | "prices"> {
  const guard = breakers(p);
  return {
    candidates: ({ type, source }) =>
      areVendorsOn(p) ? candidatesFor(p.config.SOURCE_FALLBACKS, type, source) : [source],
    prices: async (name, request, { jobId, traceparent }) => {
      const source = priceSource(p, name, tracedFetch(p, traceparent));
      if ("outcome" in source) return source;
      // What is wrong with our question says nothing about the vendor: its breaker must not hear of
      // it.
      const unaskable = source.unaskable?.(request) ?? null;
      if (unaskable !== null) return unaskable;
      // The turn is taken before the breaker is asked: a line of our own making must not look like
      // the vendor's limit.
      const wait = slotFor(p, name);
      if (wait === null) return LINE_TOO_LONG;
      const service = sourceService(name);
      const guarded = await guard({
        service,
        subject: request.symbol,
        jobId,
        traceparent,
        call: async () => {
          if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
          return source.history(request);
        },
        verdictOf: (answer) => verdictOfSource(answer, SOURCE_TIMEOUT_MS),
      });
      if (guarded.kind === "open") {
        releaseSlot(p, name);
        const { seconds: retryAfterSeconds, concerns } = guarded;
        const detail =
          concerns === "subject"
            ? `${name} keeps failing on ${request.symbol}, which is left alone for a while`
            : `the breaker of ${service} is open`;
        return { outcome: "BreakerOpen", detail, retryAfterSeconds };
      }
      const { result, stillOpenFor } = guarded;
      // It has been asked and it has failed, whoever's fault it is. So that costs an attempt like
      // any other.
      return stillOpenFor === null || result.outcome === "bars"
        ? result
        : { ...result, stillOpenFor };
    },
  };
}

/**
 * Whom else to ask about an asset, in the order of its kind: those that are configured, and not its
 * own.
 */
export const otherSources = (
  p: Platform,
  { type, source }: { readonly type: AssetType; readonly source: string },
): readonly string[] => {
  if (source === "demo") return isDemoOn(p) ? [DEMO_SECOND] : [];
  return areVendorsOn(p)
    ? p.config.SOURCE_FALLBACKS[type].filter(
        (name) => name !== source && !(VENDORS[name].needsKey && placeOf(p, name).key === ""),
      )
    : [];
};

const isDemoOn = ({ config }: Platform): boolean => config.DEMO && config.DEMO_SOURCE_URL !== "";

const areVendorsOn = ({ config }: Platform): boolean =>
  config.VENDOR_SOURCES === "on" ||
  (config.VENDOR_SOURCES === "auto" && config.ENVIRONMENT !== "local");

function priceSource(
  p: Platform,
  name: string,
  fetch: typeof globalThis.fetch,
): PriceSource | SourceFailure {
  const { config } = p;
  if ((name === "demo" || name === DEMO_SECOND) && isDemoOn(p)) {
    const place = { baseUrl: config.DEMO_SOURCE_URL, fetch, timeoutMs: SOURCE_TIMEOUT_MS };
    return demoSource({ ...place, second: name === DEMO_SECOND });
  }
  const unconfigured = `the price source ${name} is not configured`;
  if (!isVendorName(name)) return refusal("NotConfigured", unconfigured);
  if (!areVendorsOn(p)) {
    return refusal(
      "NotConfigured",
      `${unconfigured}: vendors are not asked here unless VENDOR_SOURCES=on`,
    );
  }
  return vendorSource(VENDORS[name], {
    ...placeOf(p, name),
    fetch,
    timeoutMs: SOURCE_TIMEOUT_MS,
    userAgent: `InversorAI/${config.CODE_VERSION} (+${config.PUBLIC_ORIGIN})`,
    now: p.now,
  });
}

function placeOf(
  { config }: Platform,
  name: VendorName,
): { readonly baseUrl: string; readonly key: string } {
  switch (name) {
    case "yahoo":
      return { baseUrl: config.YAHOO_URL, key: "" };
    case "coinbase":
      return { baseUrl: config.COINBASE_URL, key: "" };
    case "kraken":
      return { baseUrl: config.KRAKEN_URL, key: "" };
    case "frankfurter":
      return { baseUrl: config.FRANKFURTER_URL, key: "" };
    case "twelvedata":
      return { baseUrl: config.TWELVE_DATA_URL, key: config.TWELVE_DATA_API_KEY };
    case "tiingo":
      return { baseUrl: config.TIINGO_URL, key: config.TIINGO_API_KEY };
  }
}

/** One line per vendor and isolate: batches that run side by side in it stand in the same one. */
export function linesOf({ config }: Pick<Platform, "config">): Turns {
  const turns = lines.get(config) ?? new Map<string, number>();
  lines.set(config, turns);
  return turns;
}

const lines = new WeakMap<Platform["config"], Turns>();

/**
 * Milliseconds until the next turn at a source, or null when too many stand in line. What is not a
 * vendor has no line.
 */
const slotFor = (p: Platform, name: string): number | null =>
  isVendorName(name) ? reserveSlot(linesOf(p), name, gapOf(p, name), p.now()) : 0;

function releaseSlot(p: Platform, name: string): void {
  if (isVendorName(name)) giveBack(linesOf(p), name, gapOf(p, name));
}

/** Milliseconds between two requests to a vendor: as configured, else the vendor's own. */
const gapOf = ({ config }: Platform, name: VendorName): number =>
  config.SOURCE_GAP_MS[name] ?? VENDORS[name].gapMs;

const LINE_TOO_LONG: SourceFailure = {
  outcome: "RateLimited",
  detail: "too many of our own requests stand in line",
  retryAfterSeconds: 30,
};

/**
 * `fetch` as price sources and models get it: every call tells whose work it is (W3C Trace
 * Context).
 */
export function tracedFetch({ trace }: Platform, traceparent: string | null): typeof fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("traceparent", continueTrace(traceparent, trace));
    return fetch(input, { ...init, headers });
  };
}
