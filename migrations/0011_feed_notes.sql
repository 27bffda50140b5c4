CREATE TABLE `feed_notes` (
	`symbol` text NOT NULL,
	`kind` text NOT NULL,
	`resolution` text NOT NULL,
	`at` integer NOT NULL,
	`source` text NOT NULL,
	`outcome` text,
	`detail` text,
	`noted_at` integer NOT NULL,
	PRIMARY KEY(`symbol`, `kind`, `resolution`, `at`)
) WITHOUT ROWID;
