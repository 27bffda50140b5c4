ALTER TABLE `audit_log` ADD `traceparent` text;--> statement-breakpoint
ALTER TABLE `rebuilds` ADD `traceparent` text;--> statement-breakpoint
ALTER TABLE `reconciliations` ADD `traceparent` text;