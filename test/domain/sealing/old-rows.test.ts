import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";

const folder = join(import.meta.dirname, "../../../migrations");
const FIRST_NEW = "0009_access.sql";
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".sql"))
  .sort();

/** A database of an older version, with its stored requests, brought up to date. */
function upgraded(
  rows: readonly (readonly [key: string, ageHours: number, body: string | null])[],
) {
  const db = new DatabaseSync(":memory:");
  const apply = (names: readonly string[]) => {
    for (const name of names) db.exec(readFileSync(join(folder, name), "utf8"));
  };
  apply(files.filter((name) => name < FIRST_NEW));
  const insert = db.prepare(
    "INSERT INTO idempotency_keys (key, request_hash, status, headers, body, created_at) VALUES (?, 'h', ?, '{}', ?, ?)",
  );
  for (const [key, hours, body] of rows)
    insert.run(key, body === null ? null : 201, body, Date.now() - hours * 3_600_000);
  apply(files.filter((name) => name >= FIRST_NEW));
  return db.prepare("SELECT key, route, status, body FROM idempotency_keys ORDER BY key").all();
}

describe("stored requests from before secrets were left out", () => {
  it("keep the result, and lose the secret", () => {
    const made = JSON.stringify({ id: "e1", secret: "whsec_c2VjcmV0" });
    const key = JSON.stringify({ id: "k1", key: "inv_aaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbb" });
    const rows = upgraded([
      ["admin /api/v1/webhook-endpoints my key with blanks", 1, made],
      ["k9 /api/v1/backoffice/api-keys k", 2, key],
      ["k9 /api/v1/backoffice/api-keys long-ago", 30, key],
      ["k9 /api/v1/webhook-endpoints long-ago-too", 30, made],
    ]);
    expect(JSON.stringify(rows)).not.toMatch(/whsec_|inv_/);
    expect(rows.map((row) => [row["key"], row["route"]])).toEqual([
      ["admin my key with blanks", "/api/v1/webhook-endpoints"],
      ["k9 k", "/api/v1/backoffice/api-keys"],
    ]);
    expect(JSON.parse(String(rows[0]?.["body"]))).toEqual({
      id: "e1",
      secret: null,
      withheld: expect.stringContaining("register it again"),
    });
    expect(JSON.parse(String(rows[1]?.["body"]))).toMatchObject({ id: "k1", key: null });
  });

  it("stays for other routes, whatever had become of them", () => {
    const job = JSON.stringify({ jobId: "j" });
    expect(
      upgraded([
        ["admin /api/v1/assets/A/bars import", 1, job],
        ["admin /api/v1/assets open", 1, null],
        ["admin /api/v1/webhook-endpoints refused", 1, "not JSON"],
      ]),
    ).toEqual([
      { key: "admin import", route: "/api/v1/assets/A/bars", status: 201, body: job },
      { key: "admin open", route: "/api/v1/assets", status: null, body: null },
      { key: "admin refused", route: "/api/v1/webhook-endpoints", status: 201, body: "not JSON" },
    ]);
  });
});
