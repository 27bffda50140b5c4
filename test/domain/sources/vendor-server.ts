import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** The server's answer; `after` lets it misbehave once its head has been sent. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly after?: "cut" | "hang";
}

interface Asked {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * A vendor on this machine: a real server with the answers of a test and a record of its requests.
 */
export interface VendorServer {
  readonly url: string;
  readonly asked: Asked[];
  /** The next answer; null never answers. */
  reply: (asked: Asked) => Reply | null;
  close(): Promise<void>;
}

export async function startVendor(): Promise<VendorServer> {
  const server = createServer((request, response) => answer(vendor, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const vendor: VendorServer = {
    url: `http://127.0.0.1:${address.port}`,
    asked: [],
    reply: () => null,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return vendor;
}

function answer(vendor: VendorServer, request: IncomingMessage, response: ServerResponse): void {
  const asked = { url: new URL(request.url ?? "/", vendor.url), headers: request.headers };
  vendor.asked.push(asked);
  const reply = vendor.reply(asked);
  if (reply === null) return;
  const { status = 200, headers = {}, body = "", after } = reply;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = { "content-type": "application/json; charset=utf-8" };
  response.writeHead(status, { ...type, ...headers });
  if (after === undefined) {
    response.end(text);
    return;
  }
  response.write(text.slice(0, Math.max(1, Math.floor(text.length / 2))));
  if (after === "cut") setTimeout(() => response.destroy(), 10);
}

/** `fetch` that reaches only this machine: a test that calls the internet is wrong. */
export const localFetch: typeof globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : String(input));
  if (url.hostname !== "127.0.0.1") throw new Error(`a test asked ${url.hostname}`);
  return fetch(input, init);
};
