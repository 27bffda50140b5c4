import type { VendorName } from "../domain/market/vendor.ts";
import { type JsonReading, readBoundedJson } from "./bounded-json.ts";
import { failureOfError, failureOfStatus } from "./http-failure.ts";
import {
  type HistoryRequest,
  type PriceSource,
  refusal,
  type SourceAnswer,
  type SourceFailure,
} from "./price-source.ts";
import { ACTIONS_NOTE, type ReportedAction, vendorActions } from "./vendor-actions.ts";
import { type StampedBar, vendorBars } from "./vendor-bars.ts";
import type { Window } from "./window.ts";

/**
 * One request to a vendor: its URL and headers, the part of the period it covers, and a note for
 * its reader.
 */
export interface Question {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly window: Window;
  readonly note?: string;
}

/** The differences between vendors: their requests and the meaning of their answers. Pure. */
export interface Vendor {
  readonly name: VendorName;
  /** Min milliseconds between two requests from one isolate. */
  readonly gapMs: number;
  /** Limits by its documents or its users. */
  readonly limits: string;
  readonly needsKey: boolean;
  /**
   * The request for the first part of a period, or the reason why there is none. `now` is epoch ms.
   */
  readonly question: (request: HistoryRequest, place: Place) => Question | SourceFailure;
  /**
   * The error in a body, under whatever status: a refusal, `nothing` for a window without bars, or
   * null.
   */
  readonly trouble: (
    body: unknown,
    status: number,
    now: number,
    request: HistoryRequest,
  ) => SourceFailure | "nothing" | null;
  /** The rows of a body, in any order; `nothing` when there are none. */
  readonly rows: (body: unknown, request: HistoryRequest) => Rows | "nothing" | SourceFailure;
}

export interface Rows {
  readonly rows: readonly StampedBar[];
  readonly actions?: readonly ReportedAction[];
  readonly note?: string;
}

interface Place {
  readonly baseUrl: string;
  /** Empty when there is none. */
  readonly key: string;
  readonly now: number;
}

export interface VendorOptions {
  readonly baseUrl: string;
  readonly key: string;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs: number;
  readonly userAgent: string;
  readonly now: () => number;
}

/** Sixty years of days in the most talkative of the shapes are some 5 MB. */
const MAX_BODY_BYTES = 8 * 1_048_576;

/**
 * A vendor as a price source: one request at a time, bounded in time and size, never following a
 * redirect.
 */
export const vendorSource = (vendor: Vendor, options: VendorOptions): PriceSource => {
  const ask = (request: HistoryRequest) =>
    vendor.question(request, { baseUrl: options.baseUrl, key: options.key, now: options.now() });
  return {
    name: vendor.name,
    unaskable: (request) => {
      const question = ask(request);
      return "outcome" in question ? question : null;
    },
    history: async (request) => {
      const question = ask(request);
      if ("outcome" in question) return question;
      const timeout = AbortSignal.timeout(options.timeoutMs);
      const signal =
        request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
      try {
        const response = await options.fetch(question.url, {
          signal,
          redirect: "manual",
          headers: {
            accept: "application/json",
            "user-agent": options.userAgent,
            ...question.headers,
          },
        });
        return await readAnswer(vendor, response, request, question, options.now());
      } catch (error) {
        return failureOfError(error);
      }
    },
  };
};

async function readAnswer(
  vendor: Vendor,
  response: Response,
  request: HistoryRequest,
  { window, note }: Question,
  now: number,
): Promise<SourceAnswer> {
  const json = await readBody(response);
  const byStatus = response.ok ? null : failureOfStatus(response, now);
  const trouble = json.ok ? vendor.trouble(json.value, response.status, now, request) : null;
  const nothing = (offSession: readonly number[] = []): SourceAnswer => {
    const out = offSession.length === 0 ? {} : { offSession };
    return window.next === null
      ? { ...refusal("NoData", `${vendor.name} has no bar in this period`), ...out }
      : { outcome: "bars", bars: [], source: vendor.name, next: window.next, ...out };
  };
  if (trouble === "nothing") return nothing();
  if (trouble !== null)
    return trouble.outcome === byStatus?.outcome ? { ...byStatus, ...trouble } : trouble;
  if (byStatus !== null) {
    // A vendor reports unknown symbols in JSON. Any other 404 does not come from the vendor.
    const stranger = byStatus.outcome === "NoData" && !json.ok;
    return stranger
      ? refusal("MalformedPayload", "the answer is 404 and not the vendor's own")
      : byStatus;
  }
  if (!json.ok) return refusal("MalformedPayload", json.reason);
  const read = vendor.rows(json.value, request);
  if (read === "nothing") return nothing();
  if ("outcome" in read) return read;
  const checked = vendorBars(read.rows, request, window, now);
  if (!checked.ok) return refusal("MalformedPayload", `${vendor.name} sent ${checked.reason}`);
  const { offSession, part } = checked;
  if (checked.bars.length === 0) return nothing(offSession);
  const { actions, leftOut } = vendorActions(read.actions ?? [], checked.bars, request, now);
  const all = [
    note,
    read.note,
    leftOut > 0 ? ACTIONS_NOTE : undefined,
    part ? PART_NOTE : undefined,
  ];
  const notes = all.filter((text) => text !== undefined).join("; ");
  return {
    outcome: "bars",
    bars: checked.bars,
    source: vendor.name,
    next: window.next,
    ...(actions.length === 0 ? {} : { actions }),
    ...(offSession.length === 0 ? {} : { offSession }),
    ...(notes === "" ? {} : { note: notes }),
  };
}

const PART_NOTE =
  "the newest row is a part of its period and was left out until the period is told";

/** Of an error response the status is enough: a body that breaks off must not hide it. */
async function readBody(response: Response): Promise<JsonReading> {
  try {
    return await readBoundedJson(response, MAX_BODY_BYTES);
  } catch (error) {
    if (response.ok) throw error;
    return { ok: false, reason: "the body broke off" };
  }
}

/** The address of a vendor's resource, or null without one. */
export const addressOf = (
  baseUrl: string,
  path: string,
  query: Readonly<Record<string, string>>,
): URL | null => {
  if (!URL.canParse(baseUrl)) return null;
  const url = new URL(baseUrl.replace(/\/+$/, "") + path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
};

export const unaddressed = (name: VendorName): SourceFailure =>
  refusal("NotConfigured", `${name} has no address`);

export const unserved = (name: VendorName, what: string): SourceFailure =>
  refusal("NotConfigured", `${name} does not serve ${what}`);

export const malformed = (name: VendorName, where = ""): SourceFailure =>
  refusal(
    "MalformedPayload",
    `the answer has not the shape of ${name}'s${where === "" ? "" : ` at ${where}`}`,
  );
