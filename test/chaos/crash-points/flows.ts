import { openWork } from "../judge.ts";
import type { Reply } from "../platform/system.ts";
import type { Client } from "../workload/client.ts";

/**
 * Something the system does from one end to the other; the work of one client, in steps that wait
 * for each other.
 */
export interface Flow {
  readonly name: string;
  readonly work: (client: Client) => Promise<void>;
}

const ENDPOINT = { url: "https://hooks.chaos.example/in", patterns: ["#"] };

export const FLOWS: readonly Flow[] = [
  {
    name: "an asset is registered",
    work: async (client) => {
      await must(client.ask("POST", "/assets", imported("ACME", "STOCK")));
    },
  },
  {
    name: "bars are imported, then revised",
    work: async (client) => {
      await must(client.ask("POST", "/assets", imported("ACME", "STOCK")));
      await rest(client);
      await must(client.ask("POST", "/assets/ACME/bars", csv(24, 0), "text/csv"));
      await rest(client);
      await must(client.ask("POST", "/assets/ACME/bars", csv(6, 1), "text/csv"));
    },
  },
  {
    name: "a schedule asks a source; its answer becomes a recommendation and is delivered",
    work: async (client) => {
      await must(client.ask("POST", "/webhook-endpoints", ENDPOINT));
      await must(client.ask("POST", "/assets", demo("SPX", "STOCK")));
      await rest(client);
      await oneSlot(client, { kind: "ingest", target: { symbol: "SPX" } });
    },
  },
  {
    name: "a job exhausts its retries, becomes a dead letter, and is redriven",
    work: async (client) => {
      await must(client.ask("POST", "/assets", imported("ACME", "STOCK")));
      await rest(client);
      // There is nothing to recommend on, so this wears out its attempts, before the redrive and
      // after it.
      await must(client.ask("POST", "/jobs", { kind: "recommendation", symbol: "ACME" }));
      await rest(client);
      const { items } = JSON.parse(
        (await must(client.ask("GET", "/backoffice/dead-letters"))).text,
      ) as {
        items: { id: string }[];
      };
      for (const { id } of items)
        await client.ask("POST", `/backoffice/dead-letters/${id}/redrive`);
    },
  },
  {
    name: "a slot fans out to every asset of a calendar",
    work: async (client) => {
      await must(client.ask("POST", "/assets", demo("BTC-USD", "CRYPTO")));
      await must(
        client.ask("POST", "/assets", { symbol: "NOSRC", type: "CRYPTO", currency: "USD" }),
      );
      await rest(client);
      await oneSlot(client, { kind: "ingest", target: { calendar: "CRYPTO" } });
    },
  },
];

const imported = (symbol: string, type: string) => ({
  symbol,
  type,
  currency: "USD",
  source: "import",
});
const demo = (symbol: string, type: string) => ({ symbol, type, currency: "USD", source: "demo" });

async function must(asking: Promise<Reply | null>): Promise<Reply> {
  const reply = await asking;
  // A request that took effect and whose answer was lost may be answered as done already.
  if (reply === null || (reply.status >= 300 && reply.status !== 409))
    throw new Error(`a flow was refused: ${reply?.status} ${reply?.text}`);
  return reply;
}

/** Waits until everything that was set off is done. */
export async function rest(client: Client): Promise<void> {
  for (let looks = 0; looks < 2_000; looks++) {
    await client.sleep(15_000);
    if (openWork(client.system).length === 0) return;
  }
  throw new Error(`a flow does not end: ${openWork(client.system).join("; ")}`);
}

/** Makes a schedule, lets it have one slot, and pauses it. */
async function oneSlot(client: Client, wish: { kind: string; target: unknown }): Promise<void> {
  const cadence = { type: "interval", everySeconds: 43_200 };
  const made = await must(
    client.ask("POST", "/schedules", { name: "once", ...wish, cadence, overlap: "skip" }),
  );
  const { id } = JSON.parse(made.text) as { id: string };
  const slots = () => client.system.db.rows("SELECT slot FROM slots").length;
  for (let looks = 0; looks < 1_000 && slots() === 0; looks++) await client.sleep(2_000);
  await must(client.ask("POST", `/schedules/${id}/pause`));
}

const DAY = 86_400_000;

/** Crypto-like days would do as well; these are weekdays of 2024 with prices of their own. */
function csv(count: number, revision: number): string {
  const lines = ["timestamp,open,high,low,close,volume"];
  for (let day = Date.UTC(2024, 2, 4); lines.length <= count; day += DAY) {
    const weekday = new Date(day).getUTCDay();
    const date = new Date(day).toISOString().slice(0, 10);
    if (weekday === 0 || weekday === 6 || date === "2024-03-29") continue;
    const close = 100 + (lines.length % 7) + (lines.length % 5 === 0 ? revision : 0);
    lines.push(`${date},${close - 1},${close + 2},${close - 2},${close},1000`);
  }
  return lines.join("\n");
}
