CREATE TABLE `alerts` (
	`rule` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`since` integer NOT NULL,
	`value` real,
	`read_at` integer NOT NULL,
	`last_notified` integer,
	`pending` text DEFAULT '[]' NOT NULL
);
--> statement-breakpoint
CREATE TABLE `processes` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`direction` text NOT NULL,
	`step` integer NOT NULL,
	`steps` text NOT NULL,
	`input` text NOT NULL,
	`deeds` text DEFAULT '[]' NOT NULL,
	`tries` integer NOT NULL,
	`looks` integer NOT NULL,
	`since` integer NOT NULL,
	`due_at` integer,
	`lease_until` integer,
	`stuck_at` integer,
	`error` text,
	`version` integer NOT NULL,
	`actor` text NOT NULL,
	`traceparent` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`finished_at` integer
);
--> statement-breakpoint
CREATE INDEX `processes_created` ON `processes` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `processes_state` ON `processes` (`state`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `processes_due` ON `processes` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `processes_unmoved` ON `processes` (`stuck_at`) WHERE stuck_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `sweep_cursors` (
	`name` text PRIMARY KEY NOT NULL,
	`position` text NOT NULL
);
--> statement-breakpoint
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
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rebuilds_open` ON `rebuilds` (`projection`) WHERE beside IS NOT NULL;--> statement-breakpoint
CREATE INDEX `rebuilds_due` ON `rebuilds` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
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
);
--> statement-breakpoint
CREATE INDEX `reconciliations_due` ON `reconciliations` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `breakers` (
	`service` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`reason` text NOT NULL,
	`detail` text NOT NULL,
	`failures` integer NOT NULL,
	`opened_at` integer,
	`open_until` integer,
	`updated_at` integer NOT NULL,
	`version` integer NOT NULL
);
--> statement-breakpoint
DROP INDEX `dead_letters_state`;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `fingerprint` text;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `fault_class` text;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `first_at` integer;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `last_at` integer;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `edited_from` text;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `edited_to` text;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `reason` text;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `actor` text;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `traceparent` text;--> statement-breakpoint
CREATE INDEX `dead_letters_created` ON `dead_letters` (`state`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `dead_letters_cause` ON `dead_letters` (`state`,`fingerprint`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `dead_letters_parked` ON `dead_letters` (`symbol`) WHERE state IN ('open', 'redriving');--> statement-breakpoint
CREATE INDEX `dead_letters_closed` ON `dead_letters` (`updated_at`) WHERE state IN ('redriven', 'discarded', 'superseded');--> statement-breakpoint
ALTER TABLE `deliveries` ADD `deferred_since` integer;--> statement-breakpoint
ALTER TABLE `jobs` ADD `deferrals` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `deferred_since` integer;--> statement-breakpoint
ALTER TABLE `jobs` ADD `blocked_by` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `traceparent` text;--> statement-breakpoint
CREATE INDEX `jobs_blocked` ON `jobs` (`symbol`,`created_at`,`id`) WHERE blocked_by IS NOT NULL;--> statement-breakpoint
ALTER TABLE `slots` ADD `succeeded` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `slots` ADD `failed` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `slots` ADD `cancelled` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `slots` ADD `shared` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `slots` ADD `triggered_by` text DEFAULT 'due' NOT NULL;--> statement-breakpoint
ALTER TABLE `slots` ADD `late_seconds` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `slots_line` ON `slots` (`schedule_id`,`slot`) WHERE finished_at IS NULL;--> statement-breakpoint
CREATE INDEX `slots_buffered` ON `slots` (`schedule_id`,`slot`) WHERE state = 'buffered';--> statement-breakpoint
CREATE INDEX `slots_skipped` ON `slots` (`schedule_id`,`slot`) WHERE state = 'skipped';--> statement-breakpoint
ALTER TABLE `streams` ADD `projected_hash` text;--> statement-breakpoint
ALTER TABLE `streams` ADD `verified_at` integer;--> statement-breakpoint
ALTER TABLE `streams` ADD `verified_version` integer;--> statement-breakpoint
ALTER TABLE `streams` ADD `behind_since` integer;--> statement-breakpoint
CREATE INDEX `streams_verified` ON `streams` (`verified_at`);