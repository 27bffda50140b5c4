ALTER TABLE `deliveries` ADD `retry_from` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `schedules` ADD `paused_why` text;--> statement-breakpoint
CREATE INDEX `dead_letters_subject` ON `dead_letters` (`subject`) WHERE state = 'open';