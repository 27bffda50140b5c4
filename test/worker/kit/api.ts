import { env, exports } from "cloudflare:workers";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The tests read what they expect; what is not there fails them.
  readonly body: Record<string, unknown>;
}

/**
 * A request of the first key to the API in this very isolate, so that spies and clocks of the test
 * hold for it.
 */
export async function api(
  method: string,
  path: string,
  body?: unknown,
  extra: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const request = new Request(`http://127.0.0.1/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${env.ADMIN_API_KEY}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...extra,
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const response = await exports.default.fetch(request);
  const text = await response.text();
  const parsed: unknown = text === "" ? {} : JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null)
    throw new Error(`${method} ${path} answered ${text}`);
  return { status: response.status, headers: response.headers, body: { ...parsed } };
}

/** The `items` of a list. */
export async function items(path: string): Promise<Record<string, unknown>[]> {
  const { status, body } = await api("GET", path);
  if (status !== 200 || !Array.isArray(body["items"]))
    throw new Error(`GET ${path} answered ${status}`);
  return body["items"];
}
