import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { newEncryptionKey } from "../../../local/encryption-key.ts";
import { applyMigrations } from "../../../local/runtime.ts";
import { Killable } from "../../kill/killable.ts";
import { canonicalState, type Installation } from "../crash-points/canonical.ts";
import { scriptFor } from "./script.ts";

const KEY = "differential-admin-key-0123456789";
const REST_TIMEOUT_MS = 60_000;

/**
 * The load over workerd with its state on disk: the state it leaves, and the answer to each
 * request.
 */
export async function real() {
  const stateDir = mkdtempSync(join(tmpdir(), "inversorai-differential-"));
  const receiver = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const address = receiver.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  let system: Killable | null = null;
  try {
    await applyMigrations({ root: join(import.meta.dirname, "../../.."), stateDir });
    system = await Killable.start(stateDir, {
      ADMIN_API_KEY: KEY,
      ENCRYPTION_KEY: newEncryptionKey(),
      ENVIRONMENT: "local",
      WEBHOOK_ALLOW_LOOPBACK: "on",
      SWEEP_AFTER_SECONDS: "2",
    });
    const { origin } = system;
    const answers: number[] = [];
    for (const { method, path, body, type } of scriptFor(`http://127.0.0.1:${port}/`)) {
      const response = await fetch(`${origin}/api/v1${path}`, {
        method,
        body,
        headers: { authorization: `Bearer ${KEY}`, "content-type": type },
      });
      await response.text();
      answers.push(response.status);
      await rest(stateDir);
    }
    await system.kill();
    return { answers, state: await onDisk(stateDir, canonicalState) };
  } finally {
    await system?.kill();
    receiver.close();
    receiver.closeAllConnections();
    rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Opens an installation's files while they are read. */
async function onDisk<T>(stateDir: string, look: (installation: Installation) => T): Promise<T> {
  const open = (folder: string) =>
    readdirSync(join(stateDir, "v3", folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".sqlite"))
      .map((name) => new DatabaseSync(join(stateDir, "v3", folder, name), { readOnly: true }));
  const databases = open("d1");
  const objects = open("do");
  try {
    const db = databases.find((one) => has(one, "jobs"));
    if (db === undefined) throw new Error("there is no database on disk");
    return look({
      db: { rows: (sql) => db.prepare(sql).all() },
      hosts: () =>
        objects.map((one) => ({
          disk: { db: { has: (table) => has(one, table), rows: (sql) => one.prepare(sql).all() } },
        })),
    });
  } finally {
    for (const one of [...databases, ...objects]) one.close();
  }
}

const has = (db: DatabaseSync, table: string): boolean =>
  db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table) !==
  undefined;

/** Waits until no job is open, no delivery under way and no stream behind, twice in a row. */
async function rest(stateDir: string): Promise<void> {
  const deadline = Date.now() + REST_TIMEOUT_MS;
  for (let quiet = 0; quiet < 2; ) {
    if (Date.now() > deadline) throw new Error("the installation does not come to rest");
    await sleep(150);
    quiet = (await isBusy(stateDir)) ? 0 : quiet + 1;
  }
}

async function isBusy(stateDir: string): Promise<boolean> {
  try {
    return await onDisk(stateDir, ({ db, hosts }) => {
      const open = db.rows(
        `SELECT 1 FROM jobs WHERE finished_at IS NULL
         UNION ALL SELECT 1 FROM deliveries WHERE finished_at IS NULL
         UNION ALL SELECT 1 FROM streams WHERE projected_version < known_version`,
      );
      const outbox = hosts().flatMap(({ disk }) =>
        disk.db.has("outbox") ? disk.db.rows("SELECT 1 FROM outbox") : [],
      );
      return open.length + outbox.length > 0;
    });
  } catch (error) {
    // The files are being written; "database is locked" means that it is not at rest.
    if (String(error).includes("locked") || String(error).includes("busy")) return true;
    throw error;
  }
}
