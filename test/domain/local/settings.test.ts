import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { misspelt } from "../../../local/misspelt.ts";
import { readyLines } from "../../../local/ready-lines.ts";
import { readSettings, requireGood } from "../../../local/settings.ts";
import { readWorkerConfig } from "../../../local/worker-config.ts";
import { LogTap, WorkerLogs } from "../../../local/worker-logs.ts";

const root = join(import.meta.dirname, "../../..");
const config = readWorkerConfig(readFileSync(join(root, "wrangler.toml"), "utf8"));
const secrets = {
  ...Object.fromEntries(config.secrets.map((name) => [name, "a-key-of-my-own-0123456789"])),
  ENCRYPTION_KEY: `mine:${Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 37) % 251)).toString("base64")}`,
};

describe("wrangler.toml", () => {
  it("is read as far as variables and required secrets go", () => {
    expect(config.vars).toMatchObject({
      ENVIRONMENT: "production",
      LLM_MODEL: "",
      REPLAY_SPEED: "8640",
    });
    expect(config.secrets).toContain("ADMIN_API_KEY");
  });

  it("may hold escapes, comments and other sections", () => {
    const toml = `name = "x"\n[vars] # ours\nA = "say \\"so\\"" # why\nB = '{"a":"b"}'\n\n[[queues.producers]]\nbinding = "Q"`;
    expect(readWorkerConfig(toml).vars).toEqual({ A: 'say "so"', B: '{"a":"b"}' });
  });

  it("is refused, by line, where a variable cannot be read", () => {
    expect(() => readWorkerConfig('[vars]\nA = """\nlong"""')).toThrow(/line 2/);
  });
});

describe("the settings of npm start", () => {
  it("are valid as shipped, and are checked by the Worker's own rules", () => {
    const { vars, port, demo, tickMs } = readSettings({}, config, root);
    expect({ port, demo, tickMs }).toEqual({ port: 8787, demo: true, tickMs: 1_000 });
    expect(() =>
      requireGood({ ...vars, PUBLIC_ORIGIN: "http://127.0.0.1:8787" }, secrets),
    ).not.toThrow();
  });

  it("take every variable of the Worker from the environment, except those that the starter sets", () => {
    const names = Object.keys(config.vars);
    const env = Object.fromEntries(names.map((name) => [name, `of-${name}`]));
    const { vars } = readSettings({ ...env, DEMO: "off" }, config, root);
    const own = ["ENVIRONMENT", "CODE_VERSION", "PUBLIC_ORIGIN", "DEMO", "DEMO_SOURCE_URL"];
    for (const name of names) expect(vars[name] === `of-${name}`, name).toBe(!own.includes(name));
    expect(vars["ENVIRONMENT"]).toBe("local");
  });

  it("count an empty variable as none", () => {
    const env = { PORT: "", STATE_DIR: "", DEMO: "", REPLAY_SPEED: "", TICK_SECONDS: "" };
    expect(readSettings(env, config, root)).toEqual(readSettings({}, config, root));
  });

  it("never show a secret that is wrong", () => {
    const { vars } = readSettings({}, config, root);
    expect(() => requireGood(vars, { ...secrets, ADMIN_API_KEY: "hush" })).toThrow(
      /^ADMIN_API_KEY: (?!.*hush)/,
    );
  });
});

describe("an unused variable", () => {
  const ours = ["LOG_LEVEL", "WEBHOOK_RETRY_SECONDS", "PORT", "LLM_MODEL", "ALERT_RULES"];

  it.each([
    ["LOG_LEVLE", "LOG_LEVEL"],
    ["WEBHOOK_RETRY_SECOND", "WEBHOOK_RETRY_SECONDS"],
    ["log_level", "LOG_LEVEL"],
    ["ALERT_RULE", "ALERT_RULES"],
  ])("%s is taken for %s", (name, meant) => {
    expect(misspelt([name], ours)).toEqual([{ name, meant }]);
  });

  it.each([
    "LOG_LEVEL",
    "SORT",
    "PATH",
    "HOSTNAME",
    "LOGNAME",
    "npm_config_loglevel",
    "WEBHOOK_SECRET",
  ])("%s is none of our business", (name) => {
    expect(misspelt([name], ours)).toEqual([]);
  });
});

describe("the Worker's output", () => {
  it("is printed line by line with its level, however it is split into pieces", () => {
    const logs = new WorkerLogs();
    const line = (level: string, message: string) =>
      `${JSON.stringify({ timestamp: "1", level, message })}\n`;
    const all = `${line("log", '{"level":"info"}')}${line("error", "oh")}plain words\n`;
    const pieces = [all.slice(0, 20), all.slice(20, 57), all.slice(57)];
    expect(pieces.flatMap((piece) => logs.take(piece))).toEqual([
      { level: "info", text: '{"level":"info"}' },
      { level: "error", text: "oh" },
      { level: "error", text: "plain words" },
    ]);
  });

  it("is held until the start is over, and never shown below the requested level", () => {
    const shown: string[] = [];
    const tap = new LogTap("warn", ({ text }) => shown.push(text));
    tap.put({ level: "info", text: "a" });
    tap.put({ level: "warn", text: "b" });
    expect(shown).toEqual([]);
    tap.open();
    tap.put({ level: "error", text: "c" });
    expect(shown).toEqual(["b", "c"]);
  });
});

it("the lines after ready repeat no key and take it from where it is", () => {
  const about = { origin: "http://127.0.0.1:1", key: "the-key", stateDir: "/s t" };
  const [ready, ...more] = readyLines({ ...about, keyGiven: false });
  expect(ready).toBe("ready http://127.0.0.1:1  api key the-key");
  expect(more).toHaveLength(3);
  expect(more.join()).not.toContain("the-key");
  expect(more.join()).toContain("$(cat '/s t/admin-api-key')");
  expect(readyLines({ ...about, keyGiven: true }).join()).toContain("$ADMIN_API_KEY");
});
