ALTER TABLE `jobs` ADD `deferrals` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `deferred_since` integer;--> statement-breakpoint
ALTER TABLE `jobs` ADD `blocked_by` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `traceparent` text;--> statement-breakpoint
CREATE INDEX `jobs_blocked` ON `jobs` (`symbol`,`created_at`,`id`) WHERE blocked_by IS NOT NULL;--> statement-breakpoint
ALTER TABLE `streams` ADD `projected_hash` text;--> statement-breakpoint
CREATE TABLE `divergences` (
	`id` text PRIMARY KEY NOT NULL,
	`reconciliation_id` text NOT NULL,
	`stream` text NOT NULL,
	`projection` text NOT NULL,
	`kind` text NOT NULL,
	`log_version` integer NOT NULL,
	`read_version` integer NOT NULL,
	`detail` text NOT NULL,
	`found_at` integer NOT NULL,
	`action` text,
	`repaired_at` integer,
	`proven` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `divergences_open` ON `divergences` (`stream`,`projection`) WHERE repaired_at IS NULL;--> statement-breakpoint
CREATE INDEX `divergences_run` ON `divergences` (`reconciliation_id`,`id`);--> statement-breakpoint
CREATE TABLE `reconciliations` (
	`id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`trigger` text NOT NULL,
	`actor` text NOT NULL,
	`depth` text NOT NULL,
	`repair` integer NOT NULL,
	`symbols` text,
	`step` integer DEFAULT 0 NOT NULL,
	`cursor` text NOT NULL,
	`facts` integer DEFAULT 0 NOT NULL,
	`checked` integer DEFAULT 0 NOT NULL,
	`verified` integer DEFAULT 0 NOT NULL,
	`unreachable` integer DEFAULT 0 NOT NULL,
	`diverged` integer DEFAULT 0 NOT NULL,
	`repaired` integer DEFAULT 0 NOT NULL,
	`unrepaired` integer DEFAULT 0 NOT NULL,
	`started_at` integer NOT NULL,
	`due_at` integer,
	`finished_at` integer,
	`error` text
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `reconciliations_due` ON `reconciliations` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE `streams` ADD `verified_at` integer;--> statement-breakpoint
ALTER TABLE `streams` ADD `verified_version` integer;--> statement-breakpoint
CREATE INDEX `streams_verified` ON `streams` (`verified_at`);--> statement-breakpoint
CREATE TABLE `rebuilds` (
	`id` text PRIMARY KEY NOT NULL,
	`projection` text NOT NULL,
	`state` text NOT NULL,
	`auto` integer NOT NULL,
	`actor` text NOT NULL,
	`beside` text,
	`step` integer DEFAULT 0 NOT NULL,
	`cursor` text NOT NULL,
	`events` integer DEFAULT 0 NOT NULL,
	`kept` integer DEFAULT 0 NOT NULL,
	`difference` text NOT NULL,
	`started_at` integer NOT NULL,
	`due_at` integer,
	`finished_at` integer,
	`error` text
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `rebuilds_open` ON `rebuilds` (`projection`) WHERE beside IS NOT NULL;--> statement-breakpoint
CREATE INDEX `rebuilds_due` ON `rebuilds` (`due_at`) WHERE due_at IS NOT NULL;
