import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, parse } from "node:path";
import { Refusal } from "./settings.ts";

/** Our files in the folder; no other file is touched. */
const OURS = ["v3", "admin-api-key", "encryption-key", "lock", "lock-journal", "running.json"];
/** Files of earlier versions: secrets travel by pipe now. */
const NO_LONGER = ["secrets.env", "wrangler.toml"];

const OWNERS_FOLDER = 0o700;
const OWNERS_FILE = 0o600;
const STICKY = 0o1000;

/**
 * Makes the state's folder and closes it to everybody but its owner, whatever it was before: prices
 * are public, but keys and portfolios are not. Throws a `Refusal`.
 */
export function prepareStateFolder(folder: string): void {
  // For the folder and for whatever the processes we start will make in it.
  process.umask(0o077);
  if (folder === homedir() || folder === parse(folder).root)
    throw new Refusal(`STATE_DIR=${folder} is not for us alone: name a folder inside it`);
  try {
    mkdirSync(folder, { recursive: true, mode: OWNERS_FOLDER });
    const found = statSync(folder);
    if (!found.isDirectory()) throw new Refusal(`STATE_DIR=${folder} is a file: name a folder`);
    if ((found.mode & STICKY) !== 0)
      throw new Refusal(`STATE_DIR=${folder} is shared with others: name a folder inside it`);
    for (const name of NO_LONGER) rmSync(join(folder, name), { force: true });
    close(folder, OWNERS_FOLDER, found.mode);
    for (const name of readdirSync(folder)) if (OURS.includes(name)) closeAll(join(folder, name));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === "EEXIST" || code === "ENOTDIR")
      throw new Refusal(`STATE_DIR=${folder} is a file, or inside one: name a folder`);
    throw new Refusal(
      `STATE_DIR=${folder} cannot be used (${code}): name a folder that you may write to`,
    );
  }
}

function closeAll(path: string): void {
  const { mode, ...found } = lstat(path);
  if (found.isLink) return;
  close(path, found.isFolder ? OWNERS_FOLDER : OWNERS_FILE, mode);
  if (found.isFolder) for (const name of readdirSync(path)) closeAll(join(path, name));
}

function lstat(path: string) {
  const found = lstatSync(path);
  return { mode: found.mode, isLink: found.isSymbolicLink(), isFolder: found.isDirectory() };
}

function close(path: string, wanted: number, mode: number): void {
  if ((mode & 0o777) !== wanted) chmodSync(path, wanted);
}
