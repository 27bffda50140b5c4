const lines = (text: string): readonly string[] => text.trim().split(/\n\s*/);

/** What handles the data beyond a bound, and the bounds that it applies to. */
export interface Held {
  readonly by: string;
  readonly bounds: readonly string[];
}

/**
 * Every bound of the folders in which accepted work is kept, read and carried on: constants, and
 * functions with a LIMIT.
 */
export const HELD: readonly Held[] = [
  {
    by: "a cursor: the caller gets the next page",
    bounds: lines(`
      records/assets/asset-records.ts listAssets()
      records/operations/audit-reads.ts listAudit()
      records/operations/audit-reads.ts listApiKeys()
      records/analysis/backtest-records.ts listBacktests()
      records/assets/cross-check-records.ts listCrossChecks()
      records/dead-letters/dead-letter-reads.ts listDeadLetters()
      records/webhooks/delivery-reads.ts listDeliveries()
      records/operations/divergence-records.ts listDivergences()
      records/webhooks/endpoint-records.ts listEndpoints()
      records/jobs/job-records.ts listJobs()
      records/analysis/optimization-records.ts listOptimizations()
      records/analysis/portfolio-records.ts listPortfolios()
      records/jobs/process-records.ts listProcesses()
      records/operations/rebuild-records.ts listRebuilds()
      records/operations/reconciliation-records.ts listRuns()
      records/jobs/schedule-records.ts listSchedules()
      records/jobs/slot-records.ts listSlots()
      read-model/breakers.ts listBreakers()
      read-model/corporate-actions.ts listActions()
      read-model/feed.ts readFeed()
      read-model/recommendations.ts listRecommendations()
      read-model/recommendations.ts listRecommendationsOf()
      read-model/resampled-series.ts resampledBars()
      read-model/series.ts listBars()
      read-model/series.ts listIndicators()
      read-model/track-record.ts trackRecordSums()
    `),
  },
  {
    by: "the next tick: it stays due, overdue or past its time, and the oldest are taken first or the taken ones leave",
    bounds: lines(`
      records/dead-letters/dead-letter-records.ts pruneDeadLetters()
      records/webhooks/delivery-records.ts takeOverdueDeliveries()
      records/webhooks/endpoint-records.ts endpointsToSeal()
      records/operations/idempotency-records.ts pruneKeys()
      records/jobs/job-records.ts takeOverdueJobs()
      records/analysis/model-records.ts pruneModelRecords()
      records/jobs/process-records.ts takeOverdueProcesses()
      records/jobs/process-records.ts unmovedProcesses()
      records/operations/rebuild-records.ts takeOverdueRebuilds()
      records/operations/reconciliation-records.ts takeOverdueRuns()
      records/jobs/schedule-records.ts dueSchedules()
      records/jobs/sequence-records.ts repairSequences()
      records/jobs/slot-records.ts takeAbandonedSlots()
      records/jobs/slot-records.ts startBufferedSlots()
      records/operations/trace-state-records.ts pruneTraceStates()
      read-model/facts.ts streamsBehindOf()
      read-model/streams.ts takeStreamsBehind()
      read-model/streams.ts leastVerified()
      wiring/operations/overdue-work.ts MAX_LONG_OVERDUE
      schedule/sweep.ts MAX_ROWS
      schedule/sweep.ts MAX_STUCK
      schedule/sweep.ts MAX_SEALED
      schedule/tick.ts MAX_SCHEDULES
      schedule/tick.ts MAX_SLOTS
      schedule/tick.ts MAX_ABANDONED
      schedule/tick.ts MAX_BUFFERED
      schedule/alerts.ts MAX_NOTIFIED
    `),
  },
  {
    by: "the same piece of work: it goes on with the next page, read, statement, alarm or message of its own",
    bounds: lines(`
      records/assets/asset-records.ts calendarSymbols()
      records/assets/asset-records.ts liveSymbols()
      records/webhooks/delivery-records.ts subscriptions()
      records/jobs/sequence-records.ts releaseNext()
      read-model/opportunities.ts rankingCandidates()
      read-model/portfolio-closes.ts AT_ONCE
      read-model/shadow-tables.ts ROWS_AT_ONCE
      read-model/shadow-tables.ts compareTables()
      read-model/streams.ts readFeedStream()
      read-model/streams.ts marksAfter()
      read-model/streams.ts readFeedRows()
      read-model/time-travel.ts EVENTS_AT_ONCE
      read-model/time-travel.ts barsThen()
      read-model/versioned-bars.ts PAGE
      read-model/versioned-bars.ts readPages()
      wiring/consumers/events.ts ENDPOINTS_PER_PAGE
      wiring/consumers/events.ts READ_AT_ONCE
      wiring/operations/stream-logs.ts AT_ONCE
      wiring/operations/stream-logs.ts READ_AT_ONCE
      queues/consumer.ts AT_ONCE
      queues/events/event-writer.ts MAX_DELIVERIES
      queues/events/events.ts MAX_READS
      queues/events/events.ts AT_ONCE
      queues/processes/processes.ts AT_ONCE
      queues/analysis/ranking.ts PAGE
      queues/reconcile/rebuild.ts STREAMS_AT_ONCE
      queues/reconcile/reconcile.ts PAGE
      queues/schedule.ts PAGE
      wiring/consumers/schedule.ts SCANNED_PER_PAGE
      queues/events/webhooks.ts AT_ONCE
      durable-objects/event-log.ts read()
      durable-objects/event-log.ts page()
      durable-objects/event-log.ts unpublished()
      durable-objects/outbox.ts MAX_MESSAGES
      durable-objects/outbox.ts MAX_BYTES
      durable-objects/breaker-object.ts MAX_READ_BYTES
      durable-objects/asset/asset-object.ts MAX_READ_BYTES
      durable-objects/asset/preview.ts MAX_READ_BYTES
      queues/events/event-writer.ts MAX_APPLY_BYTES
      durable-objects/asset/preview.ts AT_ONCE
    `),
  },
  {
    by: "the slot after it: what is left stays due and is found again",
    bounds: lines(`
      read-model/due-recommendations.ts withDueRecommendations()
      queues/ingest/ask-sources.ts MAX_PAGES
      durable-objects/asset/open-recommendations.ts MAX_SCANNED
      durable-objects/asset/open-recommendations.ts list()
      durable-objects/asset/evaluations.ts MAX_AT_ONCE
    `),
  },
  {
    by: "a refusal that names the bound",
    bounds: lines(`
      records/webhooks/endpoint-limit.ts MAX_ENDPOINTS
      records/jobs/edited-request-records.ts editedRequestsOf()
      read-model/corporate-actions.ts MAX_ACTIONS
      read-model/corporate-actions.ts actionsAfter()
      read-model/resampled-series.ts MAX_SOURCE_BARS
      read-model/resampled-series.ts resampledBefore()
      read-model/time-travel.ts MAX_READS
      queues/ingest/import-format.ts MAX_IMPORT_ROWS
      queues/ingest/import-format.ts MAX_IMPORT_BYTES
      queues/ingest/import-format.ts MAX_IMPORT_ACTIONS
      queues/ingest/import-format.ts MAX_IMPORT_VALUES
    `),
  },
  {
    by: "the answer, which states how many there are or that it shows only some",
    bounds: lines(`
      records/operations/clock-record.ts bringBackSchedules()
      records/dead-letters/dead-letter-reads.ts MAX_COUNT
      records/dead-letters/dead-letter-reads.ts matchDeadLetters()
      read-model/track-record.ts MAX_SCANNED
      read-model/track-record.ts MAX_RECOMMENDATIONS
      read-model/track-record.ts lookedAt()
      wiring/operations/dry-run.ts MAX_IDS
      queues/ingest/commit-bars.ts MAX_WARNINGS
      queues/ingest/feed.ts MAX_LISTED
    `),
  },
  {
    by: "the list of dead letters, which has a cursor: there they stay open",
    bounds: lines(`
      records/dead-letters/dead-letter-reads.ts summariseDeadLetters()
      records/dead-letters/dead-letter-reads.ts openDeadLettersOf()
    `),
  },
  {
    by: "nothing has to: it only counts, up to a bound",
    bounds: lines(`
      records/operations/gauge-records.ts MAX_COUNT
      records/operations/gauge-records.ts countOpenJobs()
      records/operations/gauge-records.ts countOpenDeliveries()
      records/operations/gauge-records.ts countDeadLetters()
      records/operations/gauge-records.ts countDivergences()
      records/jobs/open-work.ts openJobs()
      records/jobs/open-work.ts openDeliveries()
      records/jobs/open-work.ts openProcesses()
      records/jobs/open-work.ts openRuns()
      records/jobs/open-work.ts openSlots()
      records/jobs/process-records.ts countStuckProcesses()
      records/operations/alert-readings.ts MAX_COUNT
      records/operations/alert-readings.ts count()
      records/operations/alert-readings.ts databaseReadings()
      read-model/portfolio-closes.ts countBars()
      read-model/streams.ts countStreamsBehind()
      read-model/streams.ts MAX_STREAMS
      read-model/streams.ts behindSince()
    `),
  },
  {
    by: "nothing has to: the caller wants so many of an end, or the one",
    bounds: lines(`
      records/assets/cross-check-records.ts latestCrossCheck()
      records/dead-letters/dead-letter-reads.ts earlierOpenDeadLetter()
      records/analysis/model-records.ts auditsOf()
      records/jobs/process-records.ts latestProcess()
      records/jobs/sequence-records.ts blockedBy()
      records/jobs/slot-records.ts lineOf()
      read-model/opportunities.ts latestRanking()
      read-model/opportunities.ts MAX_OUT_OF_ORDER
      read-model/recommendations.ts newestOf()
      read-model/portfolio-closes.ts versionedPrices()
      read-model/series.ts barsWithWarmUp()
      read-model/series.ts latestBars()
      read-model/series.ts barsFrom()
      read-model/series.ts latestCloses()
      read-model/series.ts indicatorsAt()
      read-model/time-travel.ts knowledgeAt()
      read-model/time-travel.ts indicatorsThen()
      read-model/time-travel.ts barsBefore()
      queues/ingest/from-source.ts MAX_NEWEST
      durable-objects/asset/bar-store.ts latest()
      durable-objects/asset/bar-store.ts nthAfter()
      durable-objects/asset/bar-store.ts closesUpTo()
      durable-objects/breaker-object.ts openSince()
    `),
  },
  {
    by: "nothing has to: there are never so many (rules, rebuilds at once, services, splits of a share, horizons, series of a page)",
    bounds: lines(`
      records/operations/alert-records.ts MAX_RULES
      records/operations/alert-records.ts listAlerts()
      records/assets/feed-records.ts feedTroubles()
      records/operations/gauge-records.ts breakerStates()
      records/operations/rebuild-records.ts shadowTables()
      read-model/corporate-actions.ts actionsIn()
      read-model/corporate-actions.ts splitsFrom()
      read-model/corporate-actions.ts MAX_SPLITS
      read-model/corporate-actions.ts splitsThen()
      read-model/due-recommendations.ts MAX_HORIZONS
      queues/analysis/ranking.ts MAX_PAGES
      durable-objects/asset/action-store.ts onSplitDays()
      durable-objects/asset/known-splits.ts MAX_ACTIONS
    `),
  },
  {
    by: "nothing: the newest replace older notes and notifications whose cause is on record elsewhere",
    bounds: lines(`
      records/assets/feed-records.ts MAX_OFF_SESSION
      records/assets/feed-records.ts keepOffSession()
      records/assets/feed-records.ts offSessionBetween()
      schedule/alerts.ts MAX_PENDING
    `),
  },
  {
    by: "a retry, a dead letter or a result that reports exhausted retries: these are numbers of tries",
    bounds: lines(`
      queues/reconcile/rebuild.ts MAX_ATTEMPTS
      queues/analysis/recommendations.ts MAX_READS
      queues/reconcile/reconcile-stream.ts MAX_ATTEMPTS
      queues/reconcile/reconcile-verdict.ts MAX_ROUNDS
      queues/reconcile/reconcile-walk.ts MAX_WAITS
    `),
  },
];
