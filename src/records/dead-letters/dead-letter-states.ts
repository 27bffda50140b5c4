/**
 * Open letters wait for a person. A redriven job's letter is `redriving` until the job has ended.
 * Closed ones are kept for a while: `superseded` by the letter they were edited into.
 */
export const DEAD_LETTER_STATES = [
  "open",
  "redriving",
  "redriven",
  "discarded",
  "superseded",
] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];

/**
 * SQL: no letter of this id is there yet. What its message has already brought about must not
 * happen once more when the queue brings the message again: by then an operator may have put the
 * work back.
 */
export const unfiled = (id: string): string =>
  `NOT EXISTS (SELECT 1 FROM dead_letters WHERE id = ${id})`;

/**
 * SQL: the letter is about a delivery whose endpoint is disabled or deleted, so that sending it
 * again would be in vain.
 */
export const unsendable = (deadLetter: string): string =>
  `(${deadLetter}.queue = 'webhooks' AND EXISTS (SELECT 1 FROM deliveries WHERE deliveries.id = ${deadLetter}.subject
     AND NOT EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = deliveries.endpoint_id AND enabled = 1)))`;
