/** What has to notice that a safety check is gone: seeds of the simulator, its crash points, or a test file. */
export type Suite =
  | { readonly seeds: number; readonly from?: number }
  | { readonly crashPoints: string }
  | { readonly project: string; readonly file: string; readonly test?: string };

/** A safety check, how to take it out, and who has to notice. */
export interface Tooth {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly without: string;
  readonly noticedBy: Suite;
}

const SEEDS: Suite = { seeds: 300 };
/** A file of test/worker, or those of its tests that have this in their name. */
const worker = (file: string, test?: string): Suite => ({
  project: "worker",
  file: `test/worker/${file}.test.ts`,
  ...(test === undefined ? {} : { test }),
});

/** One line where, one line what: to add a check, name it, quote it, and say what stands there without it. */
export const TEETH: readonly Tooth[] = [
  {
    name: "a log refuses a gap",
    file: "src/durable-objects/tables.ts",
    noticedBy: worker("event-log", "lets its schema refuse a gap"),
    text: "      WHEN NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM events)",
    without: "      WHEN 0",
  },
  {
    name: "events are chained",
    file: "src/durable-objects/event-log.ts",
    noticedBy: worker("event-log", "is chained"),
    text: "hash = chainHash(hash, full);",
    without: "",
  },
  {
    name: "an append expects its version",
    file: "src/durable-objects/event-log.ts",
    noticedBy: worker("event-log", "tells by name"),
    text: 'if (actual !== expected) return { kind: "conflict", expected, actual };',
    without: "",
  },
  {
    name: "an effect is remembered with its commit",
    file: "src/durable-objects/consumed.ts",
    noticedBy: SEEDS,
    text: "if (isFinal(result)) {",
    without: "if (isFinal(result) && id === '') {",
  },
  {
    name: "an event has its outbox row",
    file: "src/durable-objects/event-log.ts",
    noticedBy: SEEDS,
    text: 'this.#sql.exec("INSERT INTO outbox (version) VALUES (?)", version);',
    without: "",
  },
  {
    name: "a commit is one transaction",
    file: "src/durable-objects/commits.ts",
    noticedBy: worker("asset-object", "leaves nothing of a commit"),
    text: "storage.transactionSync(() => work(stamp))",
    without: "work(stamp)",
  },
  {
    name: "a commit arms the alarm",
    file: "src/durable-objects/commits.ts",
    noticedBy: SEEDS,
    text: "if (this.#log.head() > before && !armed) void storage.setAlarm(now + SAFETY_NET_SECONDS * 1000);",
    without: "void armed;",
  },
  {
    name: "the alarm is armed again while events wait",
    file: "src/durable-objects/commits.ts",
    noticedBy: SEEDS,
    text: "if (!out) await this.#ctx.storage.setAlarm(Date.now() + this.#outbox.secondsToNextTry() * 1000);",
    without: "void out;",
  },
  {
    name: "publishing never throws",
    file: "src/durable-objects/outbox.ts",
    noticedBy: worker("outbox", "keeps every event"),
    text: "return false;\n",
    without: "throw error;\n",
  },
  {
    name: "a row leaves the outbox after the send",
    file: "src/durable-objects/outbox.ts",
    noticedBy: SEEDS,
    text: "const sending = this.#queue.sendBatch(",
    without: "this.#log.markPublished(last.version);\n        const sending = this.#queue.sendBatch(",
  },
  {
    name: "a gap is read from the log",
    file: "src/queues/events.ts",
    noticedBy: SEEDS,
    text: "let head = projected;",
    without: "let head = Math.max(projected, Math.min(...messages.map(({ version }) => version)) - 1);",
  },
  {
    name: "a message is kept while its event is not projected",
    file: "src/queues/events.ts",
    noticedBy: worker("events", "waits, without a mark"),
    text: "if (writer.failed.has(streamId)) message.retry({ delaySeconds: RETRY_SECONDS });\n      else message.ack();",
    without: "message.ack();",
  },
  {
    name: "an older event never overwrites a bar",
    file: "src/read-model/row-tables.ts",
    noticedBy: worker("events", "never lets an older event"),
    text: "WHERE excluded.version > $",
    without: "WHERE excluded.version >= 0 OR 1 > $",
  },
  {
    name: "a finished job tells how far its stream reaches",
    file: "src/wiring/jobs.ts",
    noticedBy: SEEDS,
    text: "...(heads.length > 0 ? [noteKnown(DB, heads, now)] : []),",
    without: "",
  },
  {
    name: "a failed job asks how far its stream reaches",
    file: "src/wiring/failures.ts",
    noticedBy: worker("lost-answers", "reaches the read model"),
    text: "return head > 0 ? [",
    without: "return head < 0 ? [",
  },
  {
    name: "the sweep",
    file: "src/worker.ts",
    noticedBy: SEEDS,
    text: "sweep(sweepDeps(p))",
    without: "Promise.resolve()",
  },
  {
    name: "a message is acknowledged after its outcome is written",
    file: "src/queues/consumer.ts",
    noticedBy: worker("failures"),
    text: "if (unrecorded.has(body.jobId)) message.retry({ delaySeconds: RECORD_OUT_SECONDS });\n    // ",
    without: "// ",
  },
  {
    name: "an attempt is settled once",
    file: "src/records/job-records.ts",
    noticedBy: SEEDS,
    text: "AND json_array_length(jobs.attempts) = (s.value ->> 'number') - 1`",
    without: "`",
  },
  {
    name: "a failure is recorded once",
    file: "src/records/job-records.ts",
    noticedBy: worker("failures"),
    text: "WHERE jobs.state IN ('queued', 'running', 'retrying')\n    AND json_array_length(jobs.attempts) = (one.value ->> 'attempt') - 1)`",
    without: "WHERE true)`",
  },
  {
    name: "a job that waits is not tried before its time",
    file: "src/queues/consumer.ts",
    noticedBy: worker("failures"),
    text: "dueAt === null || dueAt <= deps.now() + SLACK_MS",
    without: "dueAt === null || dueAt <= deps.now() + 1e12",
  },
  {
    name: "retries are bounded",
    file: "src/domain/job/settle.ts",
    noticedBy: SEEDS,
    text: "if (since >= attemptsOf(policy)) {",
    without: "if (since >= attemptsOf(policy) + 3) {",
  },
  {
    name: "a delivery is in one pair of hands",
    file: "src/records/delivery-records.ts",
    noticedBy: worker("webhooks", "is in one pair of hands"),
    text: "AND state IN ('pending', 'retrying', 'sending') AND due_at <= ?2",
    without: "AND state IN ('pending', 'retrying', 'sending')",
  },
  {
    name: "a delivery comes with its event's transaction",
    file: "src/wiring/events.ts",
    noticedBy: SEEDS,
    text: "if (deliveries.length > 0) statements.push(orderDeliveries(env.DB, deliveries, now));",
    without:
      "if (deliveries.length > 0) await orderDeliveries(env.DB, deliveries, now).run().catch(() => undefined);",
  },
  {
    name: "a slot whose owner died is taken up",
    file: "src/schedule/tick.ts",
    noticedBy: SEEDS,
    text: '(await resume("abandoned", () => deps.takeAbandoned(MOST_ABANDONED), deps)) +',
    without: "",
  },
  {
    name: "a slot is claimed once",
    file: "src/records/slot-records.ts",
    noticedBy: worker("scheduler", "claims a due slot once"),
    text: "INSERT OR IGNORE INTO slots",
    without: "INSERT OR REPLACE INTO slots",
  },
  {
    name: "a slot's jobs come with its transaction",
    file: "src/wiring/schedule.ts",
    noticedBy: SEEDS,
    text: "...(orders.length > 0 ? [orderJobs(DB, orders, now, slot)] : []),",
    without: "",
  },
  {
    name: "a key decides the ids of its request",
    file: "src/api/idempotency.ts",
    noticedBy: SEEDS,
    text: "newId: api.idsOf(",
    without: "ids: api.idsOf(",
  },
  {
    name: "a key is known with its answer",
    file: "src/api/idempotency.ts",
    noticedBy: { project: "e2e", file: "test/e2e/keys.test.ts", test: "Idempotency-Key" },
    text: "WHERE request_hash = ?2 AND (status = ?5 OR (status IS NULL AND created_at < ?4))",
    without: "WHERE ?5 = ?5 AND ?4 = ?4",
  },
  {
    name: "a schedule made again is left alone",
    file: "src/records/schedule-records.ts",
    noticedBy: worker("repeated-requests"),
    text: 'insertSchedule(db, schedule, "NOTHING")',
    without: 'insertSchedule(db, schedule, "UPDATE SET done_until = excluded.done_until")',
  },
];
