import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** Reply of a model server; `after` lets it misbehave once half of it has been sent. */
export interface ModelSays {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly afterMs?: number;
  readonly after?: "cut" | "hang";
}

export interface ModelCalled {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Readonly<Record<string, unknown>>;
}

/** A model server on this machine, OpenAI's or Anthropic's by the requested path. */
export interface ModelServer {
  readonly url: string;
  readonly asked: ModelCalled[];
  /** The next reply; null never answers. */
  reply: (asked: ModelCalled) => ModelSays | null;
  close(): Promise<void>;
}

export async function startModel(): Promise<ModelServer> {
  const server = createServer((request, response) => void answer(model, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const model: ModelServer = {
    url: `http://127.0.0.1:${address.port}/v1`,
    asked: [],
    reply: () => null,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return model;
}

async function answer(
  model: ModelServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = JSON.parse(Buffer.concat(parts).toString() || "{}") as Record<string, unknown>;
  const asked = { path: request.url ?? "", headers: request.headers, body };
  model.asked.push(asked);
  const says = model.reply(asked);
  if (says === null) return;
  const { status = 200, headers = {}, afterMs = 0, after } = says;
  const text = typeof says.body === "string" ? says.body : JSON.stringify(says.body ?? {});
  if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
  response.writeHead(status, { "content-type": "application/json", ...headers });
  if (after === undefined) {
    response.end(text);
    return;
  }
  response.write(text.slice(0, Math.max(1, Math.floor(text.length / 2))));
  if (after === "cut") setTimeout(() => response.destroy(), 10);
}

/** A chat completion as OpenAI's API and those like it shape it. */
export const openAi = (content: unknown, changes: Readonly<Record<string, unknown>> = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_900_000_000,
  model: "tiny-model-1b",
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: typeof content === "string" ? content : JSON.stringify(content),
      },
      finish_reason: "stop",
      ...changes,
    },
  ],
  usage: { prompt_tokens: 1_200, completion_tokens: 300, total_tokens: 1_500 },
});

/**
 * A message as Anthropic's API shapes it: structured answers of older models come as input of a
 * tool named `json`.
 */
export const anthropic = (content: unknown, changes: Readonly<Record<string, unknown>> = {}) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "tiny-claude-1",
  content: [
    typeof content === "string"
      ? { type: "text", text: content }
      : { type: "tool_use", id: "toolu_1", name: "json", input: content },
  ],
  stop_reason: typeof content === "string" ? "end_turn" : "tool_use",
  stop_sequence: null,
  usage: { input_tokens: 1_100, output_tokens: 250 },
  ...changes,
});
