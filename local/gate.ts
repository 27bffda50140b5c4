import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { answerHeaders, decideGate } from "./gate-rules.ts";
import { Refusal } from "./settings.ts";

/** Long enough that a client's pool of connections is never surprised. */
const KEEP_ALIVE_MS = 60_000;

/** The one port that is open to the machine. */
export interface Gate {
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1 and forwards to the Worker the requests for a name of this machine. The
 * socket to the Worker is our own process's, so only our Worker can answer. Throws a `Refusal` when
 * the port is taken.
 */
export async function openGate(port: number, workerSocket: string): Promise<Gate> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, outgoing) =>
    pass(incoming, outgoing, workerSocket),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const tooLarge = error.code === "HPE_HEADER_OVERFLOW";
    const body = problem(
      tooLarge ? 431 : 400,
      "malformed_request",
      "The request cannot be read",
      tooLarge ? "Its headers are too long." : "It is not HTTP/1.1.",
      "",
    );
    socket.end(
      `HTTP/1.1 ${tooLarge ? "431 Request Header Fields Too Large" : "400 Bad Request"}\r\nConnection: close\r\n` +
        `Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    throw new Refusal(portProblem(port, error.code ?? String(error)));
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const portProblem = (port: number, code: string): string =>
  `port ${port} ${code === "EADDRINUSE" ? "is in use" : `cannot be opened (${code})`}; choose another with PORT=<number> npm start`;

function pass(incoming: IncomingMessage, outgoing: ServerResponse, socketPath: string): void {
  const { method = "GET", url: target = "", rawHeaders } = incoming;
  const decision = decideGate({ target, rawHeaders });
  if (!decision.pass) {
    const { status, code, title, detail } = decision;
    refuse(incoming, outgoing, status, problem(status, code, title, detail, target));
    return;
  }
  const { path, headers } = decision;
  // A body of unknown length stays one, whatever the method: unframed it could be taken for a
  // request of its own.
  if (incoming.headers["transfer-encoding"] !== undefined)
    headers.push("transfer-encoding", "chunked");
  // Were the Worker to close after its answer, a write still on its way would fail, and the answer
  // with it. The agent of this one request closes the connection instead.
  headers.push("connection", "keep-alive");
  const asked = request({ socketPath, method, path, headers, agent: false, setHost: false });
  asked.on("response", (answer) => {
    outgoing.writeHead(
      answer.statusCode ?? 500,
      answer.statusMessage ?? "",
      answerHeaders(answer.rawHeaders),
    );
    answer.pipe(outgoing);
    answer.on("error", () => outgoing.destroy());
  });
  asked.on("error", () => {
    // Answered already, and only the rest of the body had no reader.
    if (outgoing.headersSent) return;
    const detail = "The Worker does not answer; look at the output of npm start.";
    refuse(
      incoming,
      outgoing,
      503,
      problem(503, "unavailable", "A part we depend on is out", detail, target),
    );
  });
  incoming.on("error", () => asked.destroy());
  outgoing.on("close", () => asked.destroy());
  incoming.pipe(asked);
}

function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  body: string,
): void {
  incoming.unpipe();
  incoming.resume();
  outgoing.writeHead(status, {
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    connection: "close",
  });
  outgoing.end(incoming.method === "HEAD" ? undefined : body);
}

/** RFC 9457, as the API writes it. */
const problem = (
  status: number,
  code: string,
  title: string,
  detail: string,
  target: string,
): string =>
  JSON.stringify({
    type: `/api/docs/errors#${code}`,
    title,
    status,
    detail,
    instance: target.slice(0, 200),
    code,
    requestId: randomUUID(),
  });
