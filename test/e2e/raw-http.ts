import { type OutgoingHttpHeaders, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly sentBytes: number;
}

export interface RawRequest {
  readonly method: string;
  /** Sent unchanged: `fetch` would normalise it first. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Iterable<Uint8Array | string>;
}

const TIMEOUT_MS = 60_000;

/**
 * One request with nothing in between, so that odd paths arrive odd and an answer may come before
 * the body has ended.
 */
export function sendRaw(
  origin: string,
  { method, path, headers = {}, body = [] }: RawRequest,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const target = { hostname, port, method, path, headers, agent: false, timeout: TIMEOUT_MS };
    let sentBytes = 0;
    let answered = false;
    const outgoing = request(target, (incoming) => {
      answered = true;
      const chunks: Buffer[] = [];
      const finish = () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: Buffer.concat(chunks).toString("utf8"),
          sentBytes,
        });
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", finish);
      incoming.on("error", finish);
    });
    // A server that has refused need not read on: the connection may break while we still write.
    outgoing.on("error", (error) => (answered ? undefined : reject(error)));
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer to ${method} ${path}`)));
    void (async () => {
      for (const part of body) {
        if (answered || outgoing.destroyed) break;
        sentBytes += part.length;
        if (!outgoing.write(part)) await drained(outgoing, () => answered);
      }
      outgoing.end();
    })();
  });
}

async function drained(
  outgoing: { readonly writableNeedDrain: boolean; readonly destroyed: boolean },
  over: () => boolean,
) {
  while (outgoing.writableNeedDrain && !outgoing.destroyed && !over()) await sleep(2);
}
