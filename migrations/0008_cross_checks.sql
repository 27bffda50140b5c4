CREATE TABLE `cross_checks` (
	`id` text PRIMARY KEY NOT NULL,
	`job_id` text NOT NULL,
	`symbol` text NOT NULL,
	`resolution` text NOT NULL,
	`created_at` integer NOT NULL,
	`result` text,
	`finished_at` integer
);
--> statement-breakpoint
CREATE INDEX `cross_checks_newest` ON `cross_checks` (`symbol`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `cross_checks_found` ON `cross_checks` (`symbol`,`resolution`,`created_at`,`id`) WHERE result IS NOT NULL;