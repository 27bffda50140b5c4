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
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `processes_created` ON `processes` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `processes_state` ON `processes` (`state`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `processes_due` ON `processes` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `processes_unmoved` ON `processes` (`stuck_at`) WHERE stuck_at IS NOT NULL;--> statement-breakpoint
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
-- Slots made before their jobs were counted are counted once, here.
UPDATE `slots` SET `shared` = `jobs`, `jobs` = 0 WHERE `state` IN ('claimed', 'enqueued');--> statement-breakpoint
UPDATE `slots` SET `jobs` = n.own, `shared` = `slots`.`shared` - n.own, `succeeded` = n.succeeded, `failed` = n.failed,
  `cancelled` = n.cancelled, `finished_at` = iif(n.own > n.succeeded + n.failed + n.cancelled, NULL, `slots`.`finished_at`)
FROM (SELECT schedule_id, slot, count(*) AS own, sum(state = 'succeeded') AS succeeded, sum(state = 'failed') AS failed,
    sum(state = 'cancelled') AS cancelled
  FROM jobs WHERE schedule_id IS NOT NULL AND slot IS NOT NULL GROUP BY schedule_id, slot) AS n
WHERE `slots`.`schedule_id` = n.schedule_id AND `slots`.`slot` = n.slot AND `slots`.`state` IN ('claimed', 'enqueued');
