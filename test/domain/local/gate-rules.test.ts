import { describe, expect, it } from "vitest";
import { answerHeaders, decideGate, isOwnHost } from "../../../local/gate-rules.ts";

const OWN = ["Host", "127.0.0.1:8787"];
const decide = (target: string, rawHeaders: readonly string[] = OWN) =>
  decideGate({ target, rawHeaders });

describe("the gate of npm start", () => {
  it.each(["127.0.0.1", "127.0.0.1:8787", "localhost", "LOCALHOST:9", "[::1]:8787"])(
    "is the host %s",
    (host) => {
      expect(isOwnHost(host)).toBe(true);
    },
  );

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.nip.io:8787",
    "127.0.0.1@evil.example",
    "evil.example#localhost",
    "localhost/../evil.example",
    "",
    "localhost localhost",
    "localhost,evil.example",
    "0.0.0.0:8787",
  ])("is not the host %s", (host) => {
    expect(isOwnHost(host)).toBe(false);
    expect(decide("/", ["Host", host])).toMatchObject({ pass: false, status: 421 });
  });

  it.each([
    ["no host", []],
    ["two hosts", [...OWN, "host", "evil.example"]],
    ["the same host twice", [...OWN, ...OWN]],
  ])("refuses a request of %s", (_, headers) => {
    expect(decide("/health", headers)).toMatchObject({ pass: false, status: 421 });
  });

  it.each(["http://evil.example/", "evil.example:443", "*", ""])(
    "refuses the target %j",
    (target) => {
      expect(decide(target)).toMatchObject({ pass: false, status: 400 });
    },
  );

  it.each([
    "/cdn-cgi/handler/scheduled",
    "/cdn-cgi",
    "//cdn-cgi/x",
    "/a/../cdn-cgi/x",
    "/a/%2E%2e/cdn-cgi/x",
    "/.\\cdn-cgi/x",
    "/cdn-cgi\\x",
    "/Cdn-Cgi/x",
    "/__cf_local/stream/x",
    "/\tcdn-cgi/x",
  ])("has nothing at %j", (target) => {
    expect(decide(target)).toMatchObject({ pass: false, status: 404 });
  });

  it.each([
    ["/api/v1/assets?limit=1&x=cdn-cgi", "/api/v1/assets?limit=1&x=cdn-cgi"],
    ["/a/./b/../c", "/a/c"],
    ["/cdn-cgiant", "/cdn-cgiant"],
    ["/assets/cdn-cgi/x", "/assets/cdn-cgi/x"],
  ])("passes %s on as %s", (target, path) => {
    expect(decide(target)).toMatchObject({ pass: true, path });
  });

  it("passes headers on but those of the connection and those that only the simulator may set", () => {
    const sent = [
      "MF-Original-URL",
      "http://x/",
      "mf-route-override",
      "x",
      "CF-Connecting-IP",
      "1.2.3.4",
    ];
    const own = [
      "Connection",
      "keep-alive, X-Hop",
      "X-Hop",
      "1",
      "Transfer-Encoding",
      "chunked",
      "Upgrade",
      "h2c",
    ];
    const kept = ["Authorization", "Bearer k", "X-Request-Id", "a", "Accept", "a", "Accept", "b"];
    expect(decide("/", [...OWN, ...sent, ...own, ...kept])).toEqual({
      pass: true,
      path: "/",
      headers: [...OWN, ...kept],
    });
    expect(answerHeaders(["Connection", "close", "ETag", '"1"'])).toEqual(["ETag", '"1"']);
  });
});
