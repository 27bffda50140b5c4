import { createServer, type Server, type ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { nameProblem } from "../../../src/delivery/resolve-name.ts";

let server: Server;
let resolver = "";
let asked: string[] = [];
let reply: (type: string, response: ServerResponse) => void;
let logged: Readonly<Record<string, unknown>>[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://resolver");
    asked.push(`${searchParams.get("type")} ${searchParams.get("name")} ${request.headers.accept}`);
    reply(searchParams.get("type") ?? "", response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  resolver = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/dns-query`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  logged = [];
});

const answering =
  (a: readonly string[], aaaa: readonly string[] = []) =>
  (type: string, response: ServerResponse) => {
    const number = type === "A" ? 1 : 28;
    const Answer = [
      { name: "x", type: 5, TTL: 1, data: "10.0.0.1.cname.example." },
      ...(type === "A" ? a : aaaa).map((data) => ({ name: "x", type: number, TTL: 1, data })),
    ];
    response.end(JSON.stringify({ Status: 0, Answer }));
  };
const problem = (host: string, at: string | null = resolver) =>
  nameProblem(host, at, (entry) => void logged.push(entry));

describe("the name of an endpoint", () => {
  it.each([
    [["127.0.0.1"], []],
    [["10.1.2.3"], []],
    [["169.254.169.254"], []],
    [["192.168.0.9"], []],
    [["100.64.0.1"], []],
    [["0.0.0.0"], []],
    [["93.184.215.14", "172.16.0.1"], []],
    [["93.184.215.14"], ["::1"]],
    [[], ["fe80::1"]],
    [[], ["fd00::1"]],
    [[], ["::ffff:10.0.0.1"]],
  ])("that leads to %j and %j is refused, with the address", async (a, aaaa) => {
    reply = answering(a, aaaa);
    expect(await problem("hook.example")).toMatch(
      /^hook\.example leads to \S+, which is not a public address$/,
    );
  });

  it("with only public addresses is accepted, after both kinds are resolved", async () => {
    reply = answering(["93.184.215.14"], ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"]);
    expect(await problem("hook.example.")).toBeNull();
    expect(asked.sort()).toEqual([
      "A hook.example application/dns-json",
      "AAAA hook.example application/dns-json",
    ]);
  });

  it("is not resolved without a resolver, nor when it is an address", async () => {
    reply = answering(["127.0.0.1"]);
    expect(await problem("hook.example", null)).toBeNull();
    expect(await problem("93.184.215.14")).toBeNull();
    expect(await problem("[2606:2800:21f:cb07:6820:80da:af6b:8b2c]")).toBeNull();
    expect(asked).toEqual([]);
  });

  it.each<[string, (type: string, response: ServerResponse) => void]>([
    ["an error", (_, response) => response.writeHead(503).end("out")],
    ["a redirect", (_, response) => response.writeHead(302, { location: "/elsewhere" }).end()],
    ["something else", (_, response) => response.end("<html>")],
    ["another shape", (_, response) => response.end('{"Answer":"none"}')],
    ["far too much", (_, response) => response.end(`"${"x".repeat(300_000)}"`)],
    ["nothing", (_, response) => response.destroy()],
  ])("is let through when the resolver answers %s, and the log says so", async (_, answer) => {
    reply = answer;
    expect(await problem("hook.example")).toBeNull();
    expect(logged.map(({ message }) => message)).toEqual(
      Array(2).fill("a name could not be asked for"),
    );
  });

  it("is let through when no resolver is there", async () => {
    expect(await problem("hook.example", "http://127.0.0.1:1/dns-query")).toBeNull();
    expect(logged).toHaveLength(2);
  });

  it("is refused by one kind of address although the other lookup fails", async () => {
    const told = answering(["10.0.0.1"]);
    reply = (type, response) => (type === "A" ? told(type, response) : void response.destroy());
    expect(await problem("hook.example")).toContain("10.0.0.1");
  });
});
