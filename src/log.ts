/** One structured line. Never put keys, secrets or bodies in it. */
export function log(entry: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(entry));
}
