ALTER TABLE `assets` ADD `version` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `idempotency_keys` ADD `route` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `idempotency_keys` ADD `claimed_at` integer;--> statement-breakpoint
CREATE INDEX `jobs_portfolio_open` ON `jobs` (`actor`) WHERE finished_at IS NULL AND kind = 'portfolio';--> statement-breakpoint
CREATE INDEX `webhook_endpoints_sealed` ON `webhook_endpoints` (`secret`);--> statement-breakpoint
DELETE FROM `idempotency_keys` WHERE created_at <= unixepoch() * 1000 - 86400000;--> statement-breakpoint
-- From "caller path header" to "caller header" beside the path. Neither a caller's id nor a path holds a blank.
UPDATE OR REPLACE `idempotency_keys` SET
  route = substr(key, instr(key, ' ') + 1, instr(substr(key, instr(key, ' ') + 1), ' ') - 1),
  key = substr(key, 1, instr(key, ' ')) || substr(key, instr(key, ' ') + 1 + instr(substr(key, instr(key, ' ') + 1), ' '))
WHERE route = '' AND key LIKE '% /% %';--> statement-breakpoint
-- Answers that held a key or a secret keep what was made, and lose that.
UPDATE `idempotency_keys` SET body = json_set(body, '$.key', NULL,
  '$.withheld', 'The key was in the first answer only and is kept nowhere readable. Revoke it and make another.')
WHERE route = '/api/v1/backoffice/api-keys' AND body IS NOT NULL AND json_valid(body) AND json_extract(body, '$.key') IS NOT NULL;--> statement-breakpoint
UPDATE `idempotency_keys` SET body = json_set(body, '$.secret', NULL,
  '$.withheld', 'The secret was in the first answer only and is kept nowhere readable. Delete the endpoint and register it again.')
WHERE route = '/api/v1/webhook-endpoints' AND body IS NOT NULL AND json_valid(body) AND json_extract(body, '$.secret') IS NOT NULL;
