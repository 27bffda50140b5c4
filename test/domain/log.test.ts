import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { within } from "../../src/domain/trace/log-context.ts";
import { LOG_LEVELS, log, logFrom } from "../../src/log.ts";

const lines: string[] = [];

beforeEach(() => {
  lines.length = 0;
  for (const method of ["debug", "log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((line: string) => void lines.push(line));
  }
});
afterEach(() => vi.restoreAllMocks());

const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe("a log line", () => {
  it("is one line of JSON with level, message, time and subject", () => {
    const about = {
      traceId: "t",
      tenantId: "default",
      jobId: "ingest|SPX|1",
      asset: "SPX",
      attempt: 2,
    };
    within(log, about)({ level: "warn", message: "two\nlines", error: "broken\nhere" });
    expect(lines[0]).not.toContain("\n");
    expect(parsed()[0]).toMatchObject({ level: "warn", message: "two\nlines", ...about });
    expect(parsed()[0]?.["time"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Object.keys(parsed()[0] ?? {}).slice(0, 3)).toEqual(["level", "message", "time"]);
  });

  it.each(LOG_LEVELS)("below %s is left out", (least) => {
    for (const level of LOG_LEVELS) logFrom(least)({ level, message: level });
    expect(parsed().map(({ level }) => level)).toEqual(LOG_LEVELS.slice(LOG_LEVELS.indexOf(least)));
  });

  it("holds no key, secret or body, by whatever name or text it comes", () => {
    const secrets = {
      admin: "the-admin-key-of-this-installation",
      webhook: "whsec_c2VjcmV0LXNlY3JldA==",
      key: "inv_abcdefghijkl_0123456789012345678901234567890123456789012",
      own: "inv_admin_0123456789abcdef",
    };
    logFrom("debug", [secrets.admin])({
      level: "error",
      message: `refused with ${secrets.webhook}`,
      error: `Authorization: Bearer ${secrets.key}`,
      nested: { deeper: [{ text: `?key=${secrets.admin}&x=1` }, secrets.own] },
      authorization: "whatever-this-is",
      apiKey: "whatever-this-is",
      signingSecret: "whatever-this-is",
      headers: { cookie: "whatever-this-is" },
      body: { bars: ["whatever-this-is"] },
      payload: "whatever-this-is",
      cause: new Error(`failed with ${secrets.webhook}`),
    });
    for (const secret of [...Object.values(secrets), "whatever-this-is"])
      expect(lines[0]).not.toContain(secret);
    expect(lines[0]?.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(11);
    expect(parsed()[0]).toMatchObject({ message: "refused with [redacted]" });
  });

  it("is written whatever is put into it", () => {
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    log({ level: "info", message: "round", loop });
    log({ level: "info", message: "big", value: 10n, text: "x".repeat(100_000) });
    log({});
    expect(parsed()).toHaveLength(3);
    expect(parsed()[0]).toMatchObject({
      level: "error",
      message: "a log line could not be written",
    });
    expect(lines[1]?.length).toBeLessThan(3_000);
    expect(parsed()[2]).toMatchObject({ level: "info", message: "" });
  });
});
