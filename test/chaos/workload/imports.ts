import { fileOf, type ImportFile } from "./bars.ts";
import type { Client } from "./client.ts";
import type { Ledger } from "./ledger.ts";
import { parsed } from "./replies.ts";

/** Days in a row from one on, in their first version. */
export const importDays = (
  client: Client,
  ledger: Ledger,
  symbol: string,
  from: number,
  count: number,
): Promise<void> => importFile(client, ledger, symbol, fileOf(from, count, symbol === "COIN-X"));

/** Sends a file of bars; an accepted one goes into the ledger. */
export async function importFile(
  client: Client,
  ledger: Ledger,
  symbol: string,
  file: ImportFile,
): Promise<void> {
  ledger.importsBegun += 1;
  const reply = parsed(await client.ask("POST", `/assets/${symbol}/bars`, file.body, file.type));
  if (reply !== null) ledger.imports.push({ symbol, jobId: String(reply["jobId"]), file });
}
