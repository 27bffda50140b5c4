DROP INDEX `jobs_portfolio_open`;--> statement-breakpoint
ALTER TABLE `jobs` ADD `subject_type` text DEFAULT 'asset' NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `subject_id` text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX `jobs_backtest_open` ON `jobs` (`actor`) WHERE finished_at IS NULL AND kind = 'backtest';
--> statement-breakpoint
-- From here on by hand. Every task is a kind of its own now; the mode of its params told them apart before.
UPDATE jobs SET kind = CASE params ->> '$.mode'
    WHEN 'backtest' THEN 'backtest'
    WHEN 'portfolioBacktest' THEN 'backtest'
    WHEN 'crossCheck' THEN 'cross_check'
    WHEN 'resolve' THEN 'evaluation'
    ELSE iif(kind = 'portfolio', 'optimization', kind) END;
--> statement-breakpoint
-- What a job is about stood in `symbol`, behind a word for what is no asset.
UPDATE jobs SET
  subject_type = CASE kind
    WHEN 'optimization' THEN 'portfolio'
    WHEN 'backtest' THEN 'backtest'
    WHEN 'cross_check' THEN 'cross_check'
    WHEN 'ranking' THEN 'timeframe'
    ELSE 'asset' END,
  subject_id = CASE
    WHEN kind IN ('optimization', 'backtest', 'cross_check') THEN substr(symbol, instr(symbol, '/') + 1)
    ELSE symbol END;
--> statement-breakpoint
UPDATE schedules SET kind = CASE WHEN kind = 'portfolio' THEN 'optimization' ELSE 'evaluation' END
WHERE kind = 'portfolio' OR (kind = 'recommendation' AND target ->> '$.only' = 'due');
--> statement-breakpoint
-- Dead letters were filed under kinds of job, under queues, under the platform's names of queues, and under `unknown`.
UPDATE dead_letters SET queue = CASE
    WHEN queue = 'recommendation' THEN 'recommendations'
    WHEN queue = 'portfolio' THEN 'portfolios'
    WHEN queue = 'unknown' THEN 'dead-letters'
    ELSE substr(queue, 1 + length('inversorai-')) END
WHERE queue IN ('recommendation', 'portfolio', 'unknown') OR queue LIKE 'inversorai-%';
--> statement-breakpoint
-- Comparisons that are under way go on: their cursors name the position by another word now.
UPDATE reconciliations SET cursor = replace(replace(cursor, '"markHash":', '"positionHash":'), '"mark":', '"position":')
WHERE cursor LIKE '%"mark":%' OR cursor LIKE '%"markHash":%';
