CREATE TABLE `backtests` (
	`id` text PRIMARY KEY NOT NULL,
	`job_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`progress` real DEFAULT 0 NOT NULL,
	`result` text,
	`finished_at` integer
);
--> statement-breakpoint
CREATE INDEX `backtests_newest` ON `backtests` (`created_at`,`id`);