const lines = (text: string): readonly string[] => text.trim().split(/\n\s*/);

/** What holds that which is beyond a bound, and the bounds of which this is so. */
export interface Held {
  readonly by: string;
  readonly bounds: readonly string[];
}

/** Every bound of the folders in which accepted work is kept, read and carried on: constants, and functions with a LIMIT. */
export const HELD: readonly Held[] = [
  {
    by: "a cursor: whoever asks gets the next page",
    bounds: lines(`
      records/asset-records.ts listAssets()
      records/backoffice-records.ts listAudit()
      records/backoffice-records.ts listApiKeys()
      records/backtest-records.ts listBacktests()
      records/cross-check-records.ts listCrossChecks()
      records/dead-letter-reads.ts listDeadLetters()
      records/delivery-reads.ts listDeliveries()
      records/divergence-records.ts listDivergences()
      records/endpoint-records.ts listEndpoints()
      records/job-records.ts listJobs()
      records/optimization-records.ts listOptimizations()
      records/portfolio-records.ts listPortfolios()
      records/process-records.ts listProcesses()
      records/rebuild-records.ts listRebuilds()
      records/reconciliation-records.ts listRuns()
      records/schedule-records.ts listSchedules()
      records/slot-records.ts listSlots()
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
      records/dead-letter-records.ts pruneDeadLetters()
      records/delivery-records.ts takeOverdueDeliveries()
      records/endpoint-records.ts endpointsToSeal()
      records/idempotency-records.ts pruneKeys()
      records/job-records.ts takeOverdueJobs()
      records/model-records.ts pruneModelRecords()
      records/process-records.ts takeOverdueProcesses()
      records/process-records.ts unmovedProcesses()
      records/rebuild-records.ts takeOverdueRebuilds()
      records/reconciliation-records.ts takeOverdueRuns()
      records/schedule-records.ts dueSchedules()
      records/sequence-records.ts repairSequences()
      records/slot-records.ts takeAbandonedSlots()
      records/slot-records.ts startBufferedSlots()
      records/trace-state-records.ts pruneTraceStates()
      read-model/facts.ts streamsBehindOf()
      read-model/streams.ts takeStreamsBehind()
      read-model/streams.ts leastVerified()
      wiring/overdue.ts MAX_LONG_OVERDUE
      schedule/sweep.ts MOST
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
      records/asset-records.ts calendarSymbols()
      records/asset-records.ts liveSymbols()
      records/delivery-records.ts subscriptions()
      records/sequence-records.ts releaseNext()
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
      wiring/events.ts ENDPOINTS_PER_PAGE
      wiring/events.ts READ_AT_ONCE
      wiring/stream-logs.ts AT_ONCE
      wiring/stream-logs.ts READ_AT_ONCE
      queues/consumer.ts AT_ONCE
      queues/event-writer.ts MAX_DELIVERIES
      queues/events.ts MAX_READS
      queues/events.ts AT_ONCE
      queues/processes.ts AT_ONCE
      queues/ranking.ts PAGE
      queues/rebuild.ts STREAMS_AT_ONCE
      queues/reconcile.ts PAGE
      queues/schedule.ts PAGE
      queues/webhooks.ts AT_ONCE
      durable-objects/event-log.ts read()
      durable-objects/event-log.ts page()
      durable-objects/event-log.ts unpublished()
      durable-objects/outbox.ts MAX_MESSAGES
      durable-objects/outbox.ts MAX_BYTES
      durable-objects/preview.ts AT_ONCE
    `),
  },
  {
    by: "the slot after it: what is left stays due and is found again",
    bounds: lines(`
      read-model/due-calls.ts withDueRecommendations()
      queues/ask-sources.ts MAX_PAGES
      durable-objects/open-calls.ts MAX_SCANNED
      durable-objects/open-calls.ts list()
      durable-objects/resolutions.ts MAX_AT_ONCE
    `),
  },
  {
    by: "a refusal that names the bound",
    bounds: lines(`
      records/endpoint-limit.ts MAX_ENDPOINTS
      records/edited-order-records.ts editedRequestsOf()
      read-model/corporate-actions.ts MAX_ACTIONS
      read-model/corporate-actions.ts actionsAfter()
      read-model/resampled-series.ts MAX_SOURCE_BARS
      read-model/resampled-series.ts resampledBefore()
      read-model/time-travel.ts MAX_READS
      queues/import-format.ts MAX_IMPORT_ROWS
      queues/import-format.ts MAX_IMPORT_BYTES
      queues/import-format.ts MAX_IMPORT_ACTIONS
      queues/import-format.ts MAX_IMPORT_VALUES
    `),
  },
  {
    by: "the answer, which says how many there are or that it shows only some",
    bounds: lines(`
      records/clock-record.ts bringBackSchedules()
      records/dead-letter-reads.ts MAX_COUNT
      records/dead-letter-reads.ts matchDeadLetters()
      read-model/track-record.ts MAX_SCANNED
      read-model/track-record.ts MAX_RECOMMENDATIONS
      read-model/track-record.ts lookedAt()
      wiring/dry-run.ts MAX_IDS
      queues/commit-bars.ts MAX_WARNINGS
      queues/feed.ts MAX_LISTED
    `),
  },
  {
    by: "the list of dead letters, which has a cursor: there they stay open",
    bounds: lines(`
      records/dead-letter-reads.ts summariseDeadLetters()
      records/dead-letter-reads.ts openDeadLettersOf()
    `),
  },
  {
    by: "nothing has to: it only counts, up to a bound",
    bounds: lines(`
      records/gauge-records.ts MAX_COUNT
      records/gauge-records.ts countOpenJobs()
      records/gauge-records.ts countOpenDeliveries()
      records/gauge-records.ts countDeadLetters()
      records/gauge-records.ts countDivergences()
      records/open-work.ts openJobs()
      records/open-work.ts openDeliveries()
      records/open-work.ts openProcesses()
      records/open-work.ts openRuns()
      records/open-work.ts openSlots()
      records/process-records.ts countStuckProcesses()
      records/readings.ts MAX_COUNT
      records/readings.ts count()
      records/readings.ts databaseReadings()
      read-model/portfolio-closes.ts countBars()
      read-model/streams.ts countStreamsBehind()
      read-model/streams.ts MAX_STREAMS
      read-model/streams.ts behindSince()
    `),
  },
  {
    by: "nothing has to: whoever asks wants so many of an end, or the one",
    bounds: lines(`
      records/cross-check-records.ts latestCrossCheck()
      records/dead-letter-reads.ts earlierOpenDeadLetter()
      records/model-records.ts auditsOf()
      records/process-records.ts latestProcess()
      records/sequence-records.ts blockedBy()
      records/slot-records.ts lineOf()
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
      queues/from-source.ts MAX_NEWEST
      durable-objects/bar-store.ts latest()
      durable-objects/bar-store.ts nthAfter()
      durable-objects/bar-store.ts closesUpTo()
      durable-objects/breaker-object.ts openSince()
    `),
  },
  {
    by: "nothing has to: there are never so many (rules, rebuilds at once, services, splits of a share, horizons, series of a page)",
    bounds: lines(`
      records/alert-records.ts MAX_RULES
      records/alert-records.ts listAlerts()
      records/feed-records.ts feedTroubles()
      records/gauge-records.ts breakerStates()
      records/rebuild-records.ts shadowTables()
      read-model/corporate-actions.ts actionsIn()
      read-model/corporate-actions.ts splitsFrom()
      read-model/corporate-actions.ts MAX_SPLITS
      read-model/corporate-actions.ts splitsThen()
      read-model/due-calls.ts MAX_HORIZONS
      queues/ranking.ts MAX_PAGES
      durable-objects/action-store.ts onSplitDays()
      durable-objects/known-splits.ts MAX_ACTIONS
    `),
  },
  {
    by: "nothing: the newest give way to newer, of notes and notifications whose cause is on record elsewhere",
    bounds: lines(`
      records/feed-records.ts MAX_OFF_SESSION
      records/feed-records.ts keepOffSession()
      records/feed-records.ts offSessionBetween()
      schedule/alerts.ts MAX_PENDING
    `),
  },
  {
    by: "a retry, a dead letter or a result that says it was given up: these are numbers of tries",
    bounds: lines(`
      queues/rebuild.ts MAX_ATTEMPTS
      queues/recommendations.ts MAX_READS
      queues/reconcile-stream.ts MAX_ATTEMPTS
      queues/reconcile-verdict.ts MAX_ROUNDS
      queues/reconcile-walk.ts MAX_WAITS
    `),
  },
];
