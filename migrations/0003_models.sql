-- WITHOUT ROWID is added by hand (see src/records/model-schema.ts).
CREATE TABLE `model_answers` (
	`question` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`holder` text NOT NULL,
	`lease_until` integer NOT NULL,
	`answer` text,
	`model_id` text,
	`reason` text,
	`recommendation_id` text,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `model_answers_created` ON `model_answers` (`created_at`);--> statement-breakpoint
CREATE TABLE `model_audits` (
	`id` text PRIMARY KEY NOT NULL,
	`question` text NOT NULL,
	`recommendation_id` text NOT NULL,
	`job_id` text NOT NULL,
	`symbol` text NOT NULL,
	`variant` text NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`prompt_version` text NOT NULL,
	`snapshot_hash` text NOT NULL,
	`prompt_hash` text NOT NULL,
	`prompt` text NOT NULL,
	`tries` text NOT NULL,
	`outcome` text NOT NULL,
	`reason` text,
	`raw_confidence` real,
	`tokens` integer NOT NULL,
	`latency_ms` integer NOT NULL,
	`traceparent` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `model_audits_recommendation` ON `model_audits` (`recommendation_id`);--> statement-breakpoint
CREATE INDEX `model_audits_created` ON `model_audits` (`created_at`);--> statement-breakpoint
CREATE TABLE `model_budgets` (
	`day` text PRIMARY KEY NOT NULL,
	`tokens` integer NOT NULL,
	`calls` integer NOT NULL
) WITHOUT ROWID;
