type Versioned = "webhook_endpoints" | "schedules" | "portfolios";

/**
 * Of the JSON rows in `?1`, those whose `subject` is a row of the table that nobody has changed
 * since it was read: its `updated_at` is its version. For the audit row that stands before a
 * conditional write, in its batch.
 */
export const asRead = (
  table: Versioned,
  { updatedAt }: { readonly updatedAt: number },
  and = "",
): string => `(
  SELECT one.value FROM json_each(?1) AS one JOIN ${table} AS t ON t.id = one.value ->> 'subject'
  WHERE t.updated_at = ${Math.trunc(updatedAt)} ${and})`;
