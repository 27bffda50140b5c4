ALTER TABLE `jobs` ADD `deferrals` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `deferred_since` integer;--> statement-breakpoint
ALTER TABLE `jobs` ADD `blocked_by` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `traceparent` text;--> statement-breakpoint
CREATE INDEX `jobs_blocked` ON `jobs` (`symbol`,`created_at`,`id`) WHERE blocked_by IS NOT NULL;--> statement-breakpoint
ALTER TABLE `streams` ADD `projected_hash` text;--> statement-breakpoint
ALTER TABLE `streams` ADD `behind_since` integer;--> statement-breakpoint
ALTER TABLE `deliveries` ADD `deferred_since` integer;--> statement-breakpoint
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
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `alerts` (
	`rule` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`since` integer NOT NULL,
	`value` real,
	`read_at` integer NOT NULL,
	`last_notified` integer,
	`pending` text DEFAULT '[]' NOT NULL
) WITHOUT ROWID;
