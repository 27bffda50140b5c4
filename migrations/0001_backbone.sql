CREATE TABLE `sweep_cursors` (
	`name` text PRIMARY KEY NOT NULL,
	`position` text NOT NULL
) WITHOUT ROWID;
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
ALTER TABLE `jobs` ADD `deferrals` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `jobs` ADD `deferred_since` integer;--> statement-breakpoint
ALTER TABLE `jobs` ADD `blocked_by` text;--> statement-breakpoint
ALTER TABLE `jobs` ADD `traceparent` text;--> statement-breakpoint
CREATE INDEX `jobs_blocked` ON `jobs` (`symbol`,`created_at`,`id`) WHERE blocked_by IS NOT NULL;--> statement-breakpoint
ALTER TABLE `streams` ADD `projected_hash` text;