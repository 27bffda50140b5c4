import type { ServerResponse } from "node:http";

/** A bar as vendors sometimes send it: the last close is not there yet. */
const NULL_CLOSE = {
  symbol: "SPX",
  resolution: "1d",
  source: "demo",
  currency: "USD",
  bars: [{ date: "2017-01-03", open: null, high: null, low: null, close: null, volume: null }],
  next: null,
};

/**
 * Answers as a vendor in trouble does. Returns true if it took the request; an unknown fault is no
 * fault.
 */
export const injectFault = (fault: string | null, response: ServerResponse): boolean => {
  switch (fault) {
    case "timeout":
      return true;
    case "500":
      response.writeHead(500, { "content-type": "text/plain" }).end("internal error");
      return true;
    case "429":
      response
        .writeHead(429, { "content-type": "application/problem+json", "retry-after": "7" })
        .end("{}");
      return true;
    case "html":
      response
        .writeHead(200, { "content-type": "text/html" })
        .end("<!doctype html><title>Are you human?</title>");
      return true;
    case "nulls":
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify(NULL_CLOSE));
      return true;
    default:
      return false;
  }
};
