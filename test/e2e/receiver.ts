import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import * as z from "zod";

/** One request as it came in, byte for byte. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly at: number;
}

/** The answer to the n-th request (1-based) with the same webhook-id. */
export type Behaviour = (request: Received, nth: number) => number;

/** The attributes we promise, in addition to those that CloudEvents demands. */
const sequencedEvent = z.looseObject({
  id: z.uuid(),
  type: z.string(),
  source: z.url(),
  subject: z.string(),
  time: z.iso.datetime(),
  dataschema: z.url(),
  sequence: z.string(),
  data: z.looseObject({}),
});
export type SequencedEvent = z.infer<typeof sequencedEvent>;

/** A downstream service: one path per endpoint, each with its own mood. */
export class Receiver {
  readonly received: Received[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  readonly server: Server;
  private port = 0;

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("error", () => undefined);
      request.on("end", () => {
        const path = request.url ?? "/";
        const one = { path, headers: request.headers, body: Buffer.concat(chunks), at: Date.now() };
        this.received.push(one);
        const nth = this.at(path).filter(
          ({ headers }) => idOf(headers) === idOf(one.headers),
        ).length;
        const status = this.behaviours.get(path)?.(one, nth) ?? 204;
        const elsewhere = status >= 300 && status < 400 ? { location: this.url("/elsewhere") } : {};
        response.writeHead(status, elsewhere).end();
      });
    });
  }

  /** Listens on the port it had before, or on one that the system chooses. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.port, "127.0.0.1", resolve);
    });
    const address = this.server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  at(path: string): Received[] {
    return this.received.filter((one) => one.path === path);
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

export const idOf = (headers: IncomingHttpHeaders): string => String(headers["webhook-id"]);

/**
 * Reads a delivery as a stranger would, with the libraries of the two standards. Throws when it
 * breaks either.
 */
export function readDelivery({ headers, body }: Received, secret: string): SequencedEvent {
  const named = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, String(value)]),
  );
  new Webhook(secret).verify(body, named);
  const event = HTTP.toEvent({ headers, body: body.toString("utf8") });
  if (Array.isArray(event)) throw new Error("one event at a time");
  return sequencedEvent.parse({ ...event });
}
