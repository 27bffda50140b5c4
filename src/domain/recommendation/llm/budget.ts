import { isoDay } from "../../iso.ts";
import type { Prompt } from "./prompt.ts";
import type { ModelReply } from "./reply.ts";

/**
 * Fewer characters per token than English has (about 4), so that a reservation is rather too large
 * than too small.
 */
const CHARACTERS_PER_TOKEN = 3;

/** Tokens that a provider adds: roles, the schema of the answer. */
const OVERHEAD_TOKENS = 400;

/** Tokens to reserve for a call: an upper estimate of its cost. */
export const tokensFor = (prompt: Prompt, repair: string, maxOutputTokens: number): number =>
  Math.ceil((prompt.system.length + prompt.user.length + repair.length) / CHARACTERS_PER_TOKEN) +
  OVERHEAD_TOKENS +
  maxOutputTokens;

/**
 * The assumed cost of a call, in tokens. Without a report the reservation counts: a call that timed
 * out may have been answered, and paid for. A call that was refused before it ran cost nothing.
 */
export const tokensOf = (reply: ModelReply, reserved: number): number => {
  if (reply.kind === "failed")
    return reply.reason === "timeout" || reply.reason === "malformed" ? reserved : 0;
  const { inputTokens, outputTokens } = reply.usage;
  return inputTokens === null || outputTokens === null ? reserved : inputTokens + outputTokens;
};

/** The UTC day of an instant, YYYY-MM-DD. */
export const budgetDay = (now: number): string => isoDay(now);
