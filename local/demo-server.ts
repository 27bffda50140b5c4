import { createServer, type ServerResponse } from "node:http";
import type { Bar } from "../src/domain/asset/bar.ts";
import type { CorporateAction } from "../src/domain/asset/corporate-action.ts";
import { DEMO_SERIES, findDemoSeries } from "../src/domain/market/demo-catalogue.ts";
import { isResolution } from "../src/domain/market/resolution.ts";
import { injectFault } from "./demo-faults.ts";
import { readRange, type SeriesRange } from "./demo-range.ts";
import { secondOpinion } from "./demo-second.ts";
import { type DemoBars, demoSeriesKey, loadDemoActions, loadDemoSeries } from "./demo-series.ts";

export interface DemoServer {
  /** Without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

export interface DemoServerOptions {
  /** 0, the default, lets the system choose. */
  readonly port?: number;
  /** Obeys `?fault=timeout|500|429|html|nulls`, for tests. */
  readonly faults?: boolean;
}

/** `second` is the second source of the same series, which has no dividends. */
const SERIES_PATH = /^\/(series|second)\/([^/]+)\/([^/]+)$/;

/**
 * The demo prices behind HTTP on 127.0.0.1, as a vendor would sell them: the Worker cannot read
 * files.
 */
export const startDemoServer = async ({
  port = 0,
  faults = false,
}: DemoServerOptions = {}): Promise<DemoServer> => {
  const data = { series: loadDemoSeries(), actions: loadDemoActions() };
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? "/", "http://127.0.0.1");
    if (url === null) send(problem(400, "That is not an address"), response);
    else if (!faults || !injectFault(url.searchParams.get("fault"), response))
      send(answer(request.method ?? "", url, data), response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the demo server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface DemoData {
  readonly series: DemoBars;
  readonly actions: ReturnType<typeof loadDemoActions>;
}

const answer = (method: string, url: URL, { series, actions }: DemoData): Answer => {
  if (method !== "GET") return problem(405, "Only GET is known here");
  if (url.pathname === "/series") return { status: 200, body: { series: DEMO_SERIES } };
  const [, which, symbol, resolution] = SERIES_PATH.exec(url.pathname) ?? [];
  if (symbol === undefined || resolution === undefined) return problem(404, "No such page");
  const entry = findDemoSeries(symbol);
  const bars = isResolution(resolution) ? series.get(demoSeriesKey(symbol, resolution)) : undefined;
  if (entry === undefined || bars === undefined)
    return problem(404, `No series ${symbol}/${resolution}`);
  const range = readRange(url.searchParams);
  if (!range.ok) return problem(400, range.reason);
  const { source, currency } = entry;
  const about = { symbol, resolution, currency };
  if (which === "second")
    return {
      status: 200,
      body: { ...about, source: "demo-second", ...pageOf(secondOpinion(bars), range) },
    };
  const reported = actionsIn(actions.get(symbol) ?? [], range);
  return { status: 200, body: { ...about, source, ...pageOf(bars, range), ...reported } };
};

const actionsIn = (actions: readonly CorporateAction[], { from, to }: SeriesRange) => {
  const chosen = actions.filter(({ exDate }) => exDate >= from && exDate <= to);
  return chosen.length === 0
    ? {}
    : { actions: chosen.map((one) => ({ ...one, exDate: dateOf(one.exDate) })) };
};

const pageOf = (bars: readonly Bar[], { from, to, limit }: SeriesRange) => {
  const chosen = bars.filter(({ timestamp }) => timestamp >= from && timestamp <= to);
  const following = chosen[limit];
  return {
    bars: chosen
      .slice(0, limit)
      .map(({ timestamp, ...values }) => ({ date: dateOf(timestamp), ...values })),
    next: following === undefined ? null : dateOf(following.timestamp),
  };
};

const dateOf = (timestamp: number): string => new Date(timestamp).toISOString().slice(0, 10);

const problem = (status: number, title: string): Answer => ({ status, body: { title, status } });

const send = ({ status, body }: Answer, response: ServerResponse): void => {
  if (status === 405) response.setHeader("allow", "GET");
  const type = status === 200 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
};
