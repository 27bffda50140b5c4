import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { queueWord } from "../../../src/domain/dead-letter/queue-word.ts";
import { JOB_KINDS, JOB_QUEUES, wordsOn } from "../../../src/domain/job/job-kinds.ts";
import {
  platformQueue,
  QUEUE_BINDINGS,
  QUEUES,
  queueNamed,
} from "../../../src/domain/queue/queues.ts";

const toml = readFileSync(join(import.meta.dirname, "../../../wrangler.toml"), "utf8");

describe("the list of queues", () => {
  it("is wrangler.toml's, with the same bindings", () => {
    const produced = [
      ...toml.matchAll(/\[\[queues\.producers\]\]\nbinding = "(\w+)"\nqueue = "([^"]+)"/g),
    ].map(([, binding, queue]) => [queue, binding]);
    expect(produced.toSorted()).toEqual(
      QUEUES.map((name) => [platformQueue(name), QUEUE_BINDINGS[name]]).toSorted(),
    );
    const consumed = [...toml.matchAll(/^queue = "([^"]+)"$/gm)].map(([, queue]) => queue);
    expect(new Set(consumed)).toEqual(new Set(QUEUES.map(platformQueue)));
  });

  it("knows the platform's names and no others", () => {
    for (const name of QUEUES) expect(queueNamed(platformQueue(name))).toBe(name);
    expect(queueNamed("inversorai-coffee")).toBeNull();
    expect(queueNamed("ingest")).toBeNull();
  });

  it("carries every word of a job on one queue", () => {
    const words = JOB_QUEUES.flatMap(wordsOn);
    expect(new Set(words).size).toBe(words.length);
    expect(words).toEqual(expect.arrayContaining([...JOB_KINDS, "portfolio"]));
  });

  it("is what a filter of dead letters means, whatever they were filed under before", () => {
    expect(
      ["recommendation", "portfolio", "cross_check", "inversorai-events", "unknown"].map(queueWord),
    ).toEqual(["recommendations", "portfolios", "ingest", "events", "dead-letters"]);
    for (const name of QUEUES.filter((one) => one !== "dead-letters"))
      expect(queueWord(name)).toBe(name);
    expect(queueWord("coffee")).toBe("coffee");
  });
});
