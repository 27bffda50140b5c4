import { environmentProblems } from "../src/config.ts";

/** The parts of wrangler.toml that can make a deployment fail. */
export interface Deployment {
  /** Of the binding DB. */
  readonly databaseId: string | undefined;
  /** Patterns of routes and names of custom domains. */
  readonly routes: readonly string[];
  readonly workersDev: boolean;
  readonly vars: Readonly<Record<string, unknown>>;
  /** Names of the secrets that a deployment requires. */
  readonly secrets: readonly string[];
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const NO_UUID = /^[0-]+$/;
/** Long enough for every rule that a secret has; its value is checked where it is set. */
const SOME_SECRET = "0123456789012345678901234567890123456789012=";

/** Reasons against the deployment: one sentence each, with the fix. Empty when it may go on. */
export function deployProblems(one: Deployment): readonly string[] {
  return [
    ...databaseProblems(one),
    ...routeProblems(one),
    ...originProblems(one),
    ...variableProblems(one),
  ];
}

function databaseProblems({ databaseId }: Deployment): string[] {
  if (databaseId !== undefined && UUID.test(databaseId) && !NO_UUID.test(databaseId)) return [];
  return [
    "database_id in wrangler.toml is not a database's: run `npx wrangler d1 create inversorai` and put the id that it prints there.",
  ];
}

function routeProblems({ routes, workersDev }: Deployment): string[] {
  if (routes.length > 0 || workersDev) return [];
  return [
    'The Worker has no address: put routes = [{ pattern = "prices.example.com", custom_domain = true }] with a name of your zone above [vars] in wrangler.toml.',
  ];
}

function originProblems({ routes, workersDev, vars }: Deployment): string[] {
  const text = String(vars["PUBLIC_ORIGIN"] ?? "");
  const origin = URL.parse(text);
  const said = `PUBLIC_ORIGIN=${text} in wrangler.toml`;
  if (origin === null || origin.protocol !== "https:" || origin.origin !== text.replace(/\/$/, ""))
    return [
      `${said} is not an https address without a path: write it as in "https://prices.example.com".`,
    ];
  if (origin.hostname.endsWith(".example"))
    return [
      `${said} is the placeholder: set it to the address that this installation is reached at.`,
    ];
  const served =
    routes.some((route) => covers(route, origin.hostname)) ||
    (workersDev && origin.hostname.endsWith(".workers.dev"));
  // The missing address is reported already.
  if (served || (routes.length === 0 && !workersDev)) return [];
  return [
    `${said} is not an address of this Worker: no route of it covers ${origin.hostname}; change one of them.`,
  ];
}

/**
 * True if a route's pattern is of this host: `api.example.com/*`, `*.example.com/*`, or a custom
 * domain's name.
 */
function covers(pattern: string, hostname: string): boolean {
  const host = pattern.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  if (!host.startsWith("*")) return host === hostname;
  const rest = host.slice(1);
  return hostname.endsWith(rest) && hostname.length > rest.length;
}

function variableProblems({ vars, secrets }: Deployment): string[] {
  const given = Object.fromEntries(
    secrets.map((name) => [name, name === "ENCRYPTION_KEY" ? `k1:${SOME_SECRET}` : SOME_SECRET]),
  );
  // Secrets that not every installation needs cannot be looked up without asking Cloudflare.
  const optional = {
    ALERT_WEBHOOK_SECRET: `whsec_${SOME_SECRET}`,
    LLM_API_KEY: "known-to-cloudflare-only",
    AI: {},
  };
  return environmentProblems({ ...vars, ...optional, ...given })
    .filter(({ variable }) => variable !== "PUBLIC_ORIGIN" && !secrets.includes(variable))
    .map(
      ({ variable, message }) => `${variable} in wrangler.toml: ${message.replaceAll("\n", " ")}.`,
    );
}
