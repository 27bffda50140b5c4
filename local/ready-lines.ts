import { adminKeyFile } from "./secrets.ts";

/**
 * Printed once everything answers: the line that programs wait for, and three that a newcomer
 * needs. Only the first has the key.
 */
export function readyLines(about: {
  readonly origin: string;
  readonly key: string;
  readonly stateDir: string;
  /** True if the key came from the environment; else it is stored with the state. */
  readonly keyGiven: boolean;
}): readonly string[] {
  const { origin, key, stateDir, keyGiven } = about;
  const bearer = keyGiven ? "$ADMIN_API_KEY" : `$(cat '${adminKeyFile(stateDir)}')`;
  return [
    `ready ${origin}  api key ${key}`,
    `open  ${origin}/ in a browser; every route of the API is listed at ${origin}/api/docs`,
    `ask   curl -s -H "authorization: Bearer ${bearer}" '${origin}/api/v1/assets'`,
    `stop  with Ctrl-C; npm start goes on where it was: the state is in ${stateDir} (delete it to start over)`,
  ];
}
