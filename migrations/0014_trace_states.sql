CREATE TABLE `trace_states` (
	`trace_id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `trace_states_created` ON `trace_states` (`created_at`);