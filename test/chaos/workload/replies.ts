import type { Reply } from "../platform/system.ts";

/**
 * The object that a request was answered with; null when it was refused, or answered with nothing.
 */
export const parsed = (reply: Reply | null): Record<string, unknown> | null => {
  if (reply === null || reply.status >= 300 || reply.text === "") return null;
  const value: unknown = JSON.parse(reply.text);
  return typeof value === "object" && value !== null ? { ...value } : null;
};

/** The items of a list that a request was answered with. */
export const itemsOf = (reply: Reply | null): Record<string, unknown>[] => {
  const items = parsed(reply)?.["items"];
  return Array.isArray(items) ? items : [];
};
