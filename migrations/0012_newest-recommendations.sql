DROP INDEX `recommendations_symbol`;--> statement-breakpoint
CREATE INDEX `recommendations_newest` ON `recommendations` (`symbol`,`as_of`,`id`);