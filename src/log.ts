const WRITE = { info: console.log, warn: console.warn, error: console.error } as const;

/** One structured line. Never put keys, secrets or bodies in it. */
export function log(entry: Readonly<Record<string, unknown>>): void {
  const level = entry["level"];
  const write = level === "error" || level === "warn" ? WRITE[level] : WRITE.info;
  write(JSON.stringify(entry));
}
