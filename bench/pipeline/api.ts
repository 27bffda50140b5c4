/** The API as the benchmark uses it. */
export interface Api {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown, type?: string): Promise<T>;
}

export function api(origin: string, key: string): Api {
  const call = async <T>(
    method: string,
    path: string,
    body?: unknown,
    type = "application/json",
  ): Promise<T> => {
    const response = await fetch(`${origin}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": type },
      body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  return {
    get: (path) => call("GET", path),
    post: (path, body, type) => call("POST", path, body, type),
  };
}

/** Runs `work` over the items, `width` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
