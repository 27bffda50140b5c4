import { endpointsToSeal, replaceSecret } from "../../records/webhooks/endpoint-records.ts";
import { CannotOpen, endpointSecret } from "../../sealing/sealer.ts";
import type { Platform } from "./platform.ts";

/** An endpoint's secret, or null with a line in the log when no key opens it. */
export async function opened(
  { sealer, log }: Platform,
  endpointId: string,
  sealed: string,
): Promise<string | null> {
  try {
    return await sealer.open(sealed, endpointSecret(endpointId));
  } catch (error) {
    if (!(error instanceof CannotOpen)) throw error;
    log({ level: "error", message: "a secret does not open", endpointId, error: error.message });
    return null;
  }
}

/**
 * Seals secrets that lie in clear from before they were sealed, and those under an older key than
 * the first: with that done the older key is no longer needed. One that does not open stays as it
 * is.
 */
export async function sealSecrets(p: Platform, limit: number): Promise<number> {
  const { DB } = p.env;
  const found = await endpointsToSeal(DB, p.sealer.older, limit);
  const statements: D1PreparedStatement[] = [];
  for (const { id, secret } of found) {
    const clear = await opened(p, id, secret);
    if (clear === null) continue;
    statements.push(replaceSecret(DB, id, secret, await p.sealer.seal(clear, endpointSecret(id))));
  }
  if (statements.length === 0) return 0;
  await DB.batch(statements);
  p.log({ level: "info", message: "secrets sealed", count: statements.length });
  return statements.length;
}
