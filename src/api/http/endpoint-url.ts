import { endpointProblem } from "../../domain/delivery/endpoint-url.ts";
import type { ApiEnv } from "./platform.ts";
import { ApiProblem } from "./problem.ts";

/**
 * Refuses (422) a URL that no event may be sent to, by how it is spelled and by what its name leads
 * to.
 */
export async function refuseUrl(
  env: ApiEnv["Bindings"],
  url: string,
  ownHost: string,
): Promise<void> {
  const { config } = env.api;
  const parsed = URL.parse(url);
  const spelled =
    parsed === null
      ? "it is not a URL"
      : endpointProblem(parsed, {
          allowLoopback: config.WEBHOOK_ALLOW_LOOPBACK,
          ownHosts: [ownHost, new URL(config.PUBLIC_ORIGIN).hostname],
        });
  const reason = spelled ?? (await env.api.endpointNameProblem(url));
  if (reason !== null)
    throw new ApiProblem("validation_failed", `url: ${reason}`, [{ field: "url", reason }]);
}
