import { env } from "cloudflare:workers";
import { endpointStream } from "../../../src/domain/events/envelope.ts";
import { api } from "./api.ts";
import { enqueueImport, openAsset } from "./market.ts";
import { fileTestDeadLetters } from "./stored-dead-letters.ts";

/**
 * How a thing that can be changed is made, and changed in two ways that do not touch each other.
 */
export interface PatchRoute {
  /** Makes the n-th, and tells its path. */
  readonly make: (n: number) => Promise<string>;
  readonly one: Record<string, unknown>;
  readonly other: Record<string, unknown>;
  /** Actions beside PATCH that change it too; each keeps what PATCH changes. */
  readonly actions?: readonly { readonly name: string; readonly leaves: Record<string, unknown> }[];
}

const created = async (path: string, body: unknown): Promise<string> => {
  const answer = await api("POST", path, body);
  if (answer.status !== 201) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`);
  return `${path}/${String(answer.body["id"])}`;
};

/**
 * By the path of the OpenAPI document. A letter is taken by the first change, so it has no second
 * one (see races.test.ts).
 */
export const PATCH_ROUTES: Readonly<Record<string, PatchRoute>> = {
  "/assets/{symbol}": {
    make: async (n) => {
      const symbol = `RACE-${n}`;
      await openAsset(symbol, { calendar: "XNYS", currency: "USD" });
      return `/assets/${symbol}`;
    },
    one: { currency: "EUR" },
    other: { calendar: "XLON" },
  },
  "/portfolios/{id}": {
    make: async (n) => {
      const symbols = [`PF-${n}-A`, `PF-${n}-B`];
      for (const symbol of symbols) await openAsset(symbol);
      return created("/portfolios", { name: "race", symbols });
    },
    one: { name: "renamed" },
    other: { resolution: "1w" },
  },
  "/schedules/{id}": {
    make: async (n) => {
      await openAsset(`SCHED-${n}`);
      const cadence = { type: "interval", everySeconds: 3600 };
      return created("/schedules", { name: "race", target: { symbol: `SCHED-${n}` }, cadence });
    },
    one: { name: "renamed" },
    other: { cadence: { type: "interval", everySeconds: 7200 } },
    actions: [{ name: "pause", leaves: { paused: true } }],
  },
  "/webhook-endpoints/{id}": {
    make: (n) => created("/webhook-endpoints", { url: `http://127.0.0.1:9/${n}`, patterns: ["#"] }),
    one: { description: "renamed" },
    other: { patterns: ["asset.#"] },
    actions: [{ name: "enable", leaves: { enabled: true } }],
  },
  "/backoffice/dead-letters/{id}": {
    make: async (n) => {
      await openAsset(`LETTER-${n}`);
      const { jobId } = await enqueueImport(`LETTER-${n}`, "a", []);
      await fileTestDeadLetters(1, () => ({ id: `letter-${n}`, body: { jobID: jobId } }));
      return `/backoffice/dead-letters/letter-${n}`;
    },
    one: {},
    other: {},
  },
};

/** What the installation itself does to an endpoint when its receiver is gone. */
export const disableByReceiver = async (id: string): Promise<void> => {
  const { disable } = await import("../../../src/wiring/operations/endpoints.ts");
  const { platform } = await import("../../../src/wiring/platform/platform.ts");
  const about = [{ endpointId: id, reason: `gone: ${endpointStream(id)}`, traceparent: null }];
  await env.DB.batch(disable(platform(env), about, Date.now()));
};
