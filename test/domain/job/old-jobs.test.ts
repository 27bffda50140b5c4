import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { jobId, subjectOf } from "../../../src/domain/job/job.ts";
import {
  JOB_KINDS,
  jobQueueOf,
  KINDS,
  kindOfRow,
  kindsOf,
  meansKind,
  orderedKind,
} from "../../../src/domain/job/job-kinds.ts";
import { policiesWith, RETRY_POLICIES } from "../../../src/domain/job/retry-policies.ts";

const folder = join(import.meta.dirname, "../../../migrations");
const FIRST_NEW = "0015_job-kinds.sql";
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".sql"))
  .sort();

/** A database of before with some rows, brought up to date. */
function upgraded(before: (db: DatabaseSync) => void): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  const apply = (names: readonly string[]) => {
    for (const name of names) db.exec(readFileSync(join(folder, name), "utf8"));
  };
  apply(files.filter((name) => name < FIRST_NEW));
  before(db);
  apply(files.filter((name) => name >= FIRST_NEW));
  return db;
}

const JOBS = [
  ["ingest|SPX|a", "ingest", "SPX", "source", "ingest", "asset", "SPX"],
  ["ingest|SPX|b", "ingest", "SPX", "import", "ingest", "asset", "SPX"],
  [
    "ingest|cross-check|x",
    "ingest",
    "cross-check/x",
    "crossCheck",
    "cross_check",
    "cross_check",
    "x",
  ],
  ["indicators|SPX|a", "indicators", "SPX", "derived", "indicators", "asset", "SPX"],
  ["recommendation|SPX|a", "recommendation", "SPX", "derived", "recommendation", "asset", "SPX"],
  ["recommendation|SPX|b", "recommendation", "SPX", "resolve", "evaluation", "asset", "SPX"],
  ["ranking|1d|a", "ranking", "1d", "ranking", "ranking", "timeframe", "1d"],
  ["portfolio|p|a", "portfolio", "portfolio/p", "portfolio", "optimization", "portfolio", "p"],
  ["portfolio|p|b", "portfolio", "portfolio/p", "derived", "optimization", "portfolio", "p"],
  ["portfolio|backtest|t", "portfolio", "backtest/t", "backtest", "backtest", "backtest", "t"],
  [
    "portfolio|backtest|u",
    "portfolio",
    "backtest/u",
    "portfolioBacktest",
    "backtest",
    "backtest",
    "u",
  ],
] as const;

describe("jobs of before each task had a kind of its own", () => {
  it("get their kind and subject, and keep id and order", () => {
    const db = upgraded((old) => {
      const insert = old.prepare(
        `INSERT INTO jobs (id, kind, symbol, resolution, state, params, correlation_id, actor, created_at)
         VALUES (?, ?, ?, '1d', 'queued', ?, 'c', 'a', 1)`,
      );
      for (const [id, kind, symbol, mode] of JOBS)
        insert.run(id, kind, symbol, `{"mode":"${mode}"}`);
    });
    const rows = db.prepare("SELECT id, kind, symbol, subject_type, subject_id FROM jobs").all();
    expect(rows.map((row) => Object.values(row)).sort()).toEqual(
      JOBS.map(([id, , symbol, , kind, type, subject]) => [id, kind, symbol, type, subject]).sort(),
    );
  });

  it.each(JOBS)("%s is read the same from a row that an older version still writes", (...row) => {
    const [id, word, symbol, mode, kind, subjectType, subjectId] = row;
    expect(kindOfRow(word, { mode })).toBe(kind);
    expect(kindOfRow(kind, { mode })).toBe(kind);
    expect(subjectOf(kind, symbol)).toEqual({ subjectType, subjectId });
    expect(meansKind(word, kind)).toBe(true);
    expect(jobQueueOf(word)).toBe(KINDS[kind].queue);
    const [, asset = "", slot = ""] = id.split("|");
    expect(jobId(kind, asset, slot)).toBe(id);
  });

  it("are found and ordered by the words of before", () => {
    expect(kindsOf("portfolio")).toEqual(["optimization", "backtest"]);
    expect(kindsOf("ingest")).toEqual(["ingest"]);
    expect(orderedKind("portfolio", false)).toBe("optimization");
    expect(orderedKind("recommendation", true)).toBe("evaluation");
    expect(orderedKind("recommendation", false)).toBe("recommendation");
  });

  it("are retried as settings of before say", () => {
    const policy = { type: "table", waitSeconds: [7] } as const;
    const given = policiesWith({ portfolio: policy, ingest: policy, recommendation: policy });
    const others = JOB_KINDS.filter((kind) => given[kind] !== policy);
    expect(others).toEqual(["indicators", "ranking"]);
    const own = { type: "table", waitSeconds: [9] } as const;
    expect(policiesWith({ portfolio: policy, backtest: own })).toEqual({
      ...RETRY_POLICIES,
      optimization: policy,
      backtest: own,
    });
  });
});

describe("what else the upgrade carries over", () => {
  it("puts dead letters under the queues' names", () => {
    const words = ["ingest", "recommendation", "portfolio", "webhooks", "events", "unknown"];
    const all = [...words, "inversorai-ingest", "inversorai-dead-letters-again", "reconcile"];
    const db = upgraded((old) => {
      const insert = old.prepare(
        `INSERT INTO dead_letters (id, queue, body, error, attempts, state, created_at, updated_at)
         VALUES (?, ?, '{}', '{}', 1, 'open', 1, 1)`,
      );
      for (const [index, word] of all.entries()) insert.run(String(index), word);
    });
    const rows = db.prepare("SELECT queue FROM dead_letters ORDER BY id").all();
    expect(rows.map((row) => row["queue"])).toEqual([
      "ingest",
      "recommendations",
      "portfolios",
      "webhooks",
      "events",
      "dead-letters",
      "ingest",
      "dead-letters-again",
      "reconcile",
    ]);
  });

  it("gives schedules the kind of what they order", () => {
    const schedules = [
      ["a", "portfolio", '{"portfolioId":"p"}'],
      ["b", "recommendation", '{"symbol":"SPX","only":"due"}'],
      ["c", "recommendation", '{"symbol":"SPX"}'],
      ["d", "ingest", '{"calendar":"XNYS"}'],
    ] as const;
    const db = upgraded((old) => {
      const insert = old.prepare(
        `INSERT INTO schedules (id, name, kind, target, cadence, overlap, catch_up_seconds, jitter_seconds, created_at,
           updated_at, done_until) VALUES (?, 'n', ?, ?, '{}', 'allow', 0, 0, 1, 1, 1)`,
      );
      for (const [id, kind, target] of schedules) insert.run(id, kind, target);
    });
    const rows = db.prepare("SELECT kind FROM schedules ORDER BY id").all();
    expect(rows.map((row) => row["kind"])).toEqual([
      "optimization",
      "evaluation",
      "recommendation",
      "ingest",
    ]);
  });

  it("lets comparisons that are under way go on from their position", () => {
    const walk = '{"streamId":"asset/X","mark":{"version":3,"hash":"h"},"markHash":"h","round":1}';
    const db = upgraded((old) => {
      old.exec(`INSERT INTO reconciliations (id, state, trigger, actor, depth, repair, cursor, started_at)
                VALUES ('r', 'running', 'api', 'a', 'rows', 1, '{"phase":"bulk","walk":${walk}}', 1)`);
    });
    const row = db.prepare("SELECT cursor FROM reconciliations").get();
    expect(JSON.parse(String(row?.["cursor"]))).toEqual({
      phase: "bulk",
      walk: {
        streamId: "asset/X",
        position: { version: 3, hash: "h" },
        positionHash: "h",
        round: 1,
      },
    });
  });
});
