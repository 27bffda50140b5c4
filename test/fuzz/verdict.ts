import * as z from "zod";
import type { RawAnswer } from "../e2e/raw-http.ts";
import type { Shot } from "./requests.ts";

const problemView = z.object({
  type: z.string().min(1),
  title: z.string().min(1),
  status: z.number().int(),
  detail: z.string().min(1),
  code: z.string().min(1),
  errors: z.array(z.object({ field: z.string(), reason: z.string().min(1) })).optional(),
});

/** What tells of our insides: a stack, a file, the database's own words. */
const INSIDES =
  /\\n\s*at |\.ts:\d|node_modules|SQLITE|D1_ERROR|\bTypeError:|\bRangeError:|\[object Object\]/;

/** What is wrong with an answer, whatever the question was; null when nothing is. */
export function faultOf(
  { method, isStray }: Shot,
  { status, headers, text }: RawAnswer,
): string | null {
  if (status >= 500) return `answered ${status}`;
  if (status < 200) return `answered ${status}`;
  if (isStray && status < 400) return `answered ${status} to a parameter that it does not declare`;
  // What was asked for packed is read by whoever unpacks it.
  const isPacked = headers["content-encoding"] !== undefined;
  const type = String(headers["content-type"] ?? "");
  if (method === "HEAD" || status === 204 || status === 304) {
    if (text !== "") return `answered ${method} with ${status} and a body`;
    return status >= 400 && type !== "application/problem+json" ? `refused with ${type}` : null;
  }
  if (status < 300) {
    if (isPacked || !type.startsWith("application/json")) return null;
    return isJson(text) ? null : `answered ${status} with JSON that cannot be read`;
  }
  if (type !== "application/problem+json")
    return `answered ${status} with ${type === "" ? "no type" : type}`;
  if (isPacked) return null;
  const problem = isJson(text) ? problemView.safeParse(JSON.parse(text)) : null;
  if (problem?.success !== true) return `answered ${status} with a problem of another shape`;
  if (problem.data.status !== status)
    return `answered ${status} with a problem that says ${problem.data.status}`;
  if (INSIDES.test(text)) return "a problem tells of our insides";
  return null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
