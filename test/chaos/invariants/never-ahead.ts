import type { System } from "../platform/system.ts";

/**
 * Cheap enough for the middle of a run: the feed has no gap and is never ahead of the log that it
 * repeats.
 */
export function neverAhead(system: System): string[] {
  const faults: string[] = [];
  const heads = new Map<string, number>();
  for (const host of system.hosts()) {
    const { db } = host.disk;
    if (!db.has("events")) continue;
    const [row] = db.rows(
      `SELECT count(*) AS n, max(version) AS head,
         (SELECT body ->> 'streamId' FROM events ORDER BY version LIMIT 1) AS stream
       FROM events`,
    );
    if (row === undefined || row["head"] === null) continue;
    if (row["n"] !== row["head"])
      faults.push(
        `${host.label} has ${String(row["n"])} events up to version ${String(row["head"])}`,
      );
    heads.set(String(row["stream"]), Number(row["head"]));
  }
  for (const row of system.db.rows(
    "SELECT stream_id AS stream, count(*) AS n, max(version) AS head FROM events GROUP BY stream_id",
  )) {
    if (row["n"] !== row["head"]) faults.push(`the feed has a gap in ${String(row["stream"])}`);
    const head = heads.get(String(row["stream"]));
    if (head !== undefined && Number(row["head"]) > head)
      faults.push(`the feed is ahead of ${String(row["stream"])}`);
  }
  for (const row of system.db.rows(
    "SELECT stream_id AS stream, projected_version AS head FROM streams",
  )) {
    const head = heads.get(String(row["stream"]));
    if (head !== undefined && Number(row["head"]) > head)
      faults.push(`${String(row["stream"])} is projected past its log`);
  }
  return faults;
}
