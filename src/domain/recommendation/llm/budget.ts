import { isoDay } from "../../iso.ts";
import type { Prompt } from "./prompt.ts";
import type { ModelReply } from "./reply.ts";

/**
 * Fewer characters per token than English has (about 4), so that a reservation is rather too large
 * than too small.
 */
const CHARACTERS_PER_TOKEN = 3;

/** What a provider adds of its own: roles, the schema of the answer. */
const OVERHEAD_TOKENS = 400;

/** Tokens to reserve for a call: all it may cost, as far as that can be told beforehand. */
export const tokensFor = (prompt: Prompt, repair: string, maxOutputTokens: number): number =>
  Math.ceil((prompt.system.length + prompt.user.length + repair.length) / CHARACTERS_PER_TOKEN) +
  OVERHEAD_TOKENS +
  maxOutputTokens;

/**
 * Tokens a call is taken to have cost. Where nobody told, the reservation stands: a call that timed
 * out may have been answered, and paid for. A call that was turned away at the door cost nothing.
 */
export const tokensOf = (reply: ModelReply, reserved: number): number => {
  if (reply.kind === "failed")
    return reply.reason === "timeout" || reply.reason === "malformed" ? reserved : 0;
  const { inputTokens, outputTokens } = reply.usage;
  return inputTokens === null || outputTokens === null ? reserved : inputTokens + outputTokens;
};

/** The UTC day of an instant, YYYY-MM-DD. */
export const budgetDay = (now: number): string => isoDay(now);
