CREATE TABLE `portfolio_optimizations` (
	`job_id` text PRIMARY KEY NOT NULL,
	`portfolio_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`result` text,
	`finished_at` integer
);
--> statement-breakpoint
CREATE INDEX `portfolio_optimizations_newest` ON `portfolio_optimizations` (`portfolio_id`,`created_at`,`job_id`);--> statement-breakpoint
CREATE TABLE `portfolios` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`symbols` text NOT NULL,
	`resolution` text NOT NULL,
	`optimization` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`archived_at` integer
);
