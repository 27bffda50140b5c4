import { env } from "cloudflare:workers";
import { newSecret } from "../../../src/delivery/webhook.ts";
import { type Endpoint, writeEndpoint } from "../../../src/records/webhooks/endpoint-records.ts";

/** A receiver of webhooks, as the API registers one. */
export async function openEndpoint(id: string, patterns: readonly string[]): Promise<Endpoint> {
  const endpoint: Endpoint = {
    id,
    url: `https://receiver.example/${id}`,
    patterns,
    description: "",
    secret: newSecret(),
    enabled: true,
    disabledWhy: null,
    createdAt: Date.now(),
    updatedAt: Date.now(),
  };
  await writeEndpoint(env.DB, endpoint).run();
  return endpoint;
}
