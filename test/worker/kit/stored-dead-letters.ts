import { env } from "cloudflare:workers";
import { fileDeadLetters } from "../../../src/records/dead-letters/dead-letter-records.ts";
import { api } from "./api.ts";
import { rows, START } from "./market.ts";

export const LETTERS = "/backoffice/dead-letters";
export const path = (id: string, action = "") =>
  `${LETTERS}/${encodeURIComponent(id)}${action === "" ? "" : `/${action}`}`;
export const show = async (id: string) => (await api("GET", path(id))).body;
export const audits = (subject: string) =>
  rows<{ action: string; outcome: string; actor: string; detail: string | null }>(
    "SELECT action, outcome, actor, detail FROM audit_log WHERE subject = ? ORDER BY id",
    subject,
  );

/** Letters about nothing in particular, each a second after the one before. */
export async function fileTestDeadLetters(
  count: number,
  changes: (n: number) => Partial<Parameters<typeof fileDeadLetters>[1][number]>,
): Promise<void> {
  const deadLetters = Array.from({ length: count }, (_, n) => ({
    id: `filed-${n}`,
    queue: "dead-letters" as const,
    subject: null,
    symbol: null,
    body: { n },
    error: { code: "platform.unexpected", detail: `failed ${n} times` },
    attempts: 1,
    createdAt: START + n * 1000,
    ...changes(n),
  }));
  await fileDeadLetters(env.DB, deadLetters).run();
}
