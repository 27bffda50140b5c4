import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Gate, openGate } from "../../../local/gate.ts";

let folder: string;
let worker: Server;
let gate: Gate;
let origin: string;
const connections: (string | undefined)[] = [];

const freePort = async (): Promise<number> => {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "inversorai-gate-"));
  const socket = join(folder, "worker.sock");
  connections.length = 0;
  worker = createServer((request, response) => {
    connections.push(request.headers.connection);
    request.resume().on("end", () => response.end("answered"));
  });
  await new Promise<void>((resolve) => worker.listen(socket, resolve));
  const port = await freePort();
  gate = await openGate(port, socket);
  origin = `http://127.0.0.1:${port}`;
});
afterEach(async () => {
  await gate.close();
  worker.closeAllConnections();
  await new Promise((resolve) => worker.close(resolve));
  rmSync(folder, { recursive: true });
});

const openConnections = (): Promise<number> =>
  new Promise((resolve) => worker.getConnections((_, count) => resolve(count)));

test("the Worker keeps the connection until its answer is read, then the gate closes it", async () => {
  for (let count = 0; count < 20; count += 1) {
    const answer = await fetch(origin, { method: "POST", body: "x".repeat(1_000) });
    expect(await answer.text()).toBe("answered");
  }
  expect(new Set(connections)).toEqual(new Set(["keep-alive"]));
  await vi.waitFor(async () => expect(await openConnections()).toBe(0));
});
