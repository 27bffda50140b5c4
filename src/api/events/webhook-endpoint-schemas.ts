import * as z from "zod";
import { patternProblem } from "../../domain/events/routing-key.ts";
import { iso } from "../../domain/iso.ts";
import type { Endpoint } from "../../records/webhooks/endpoint-records.ts";

const pattern = z
  .string()
  .max(256)
  .superRefine((text, context) => {
    const reason = patternProblem(text);
    if (reason !== null) context.addIssue({ code: "custom", message: reason });
  });

const fields = {
  url: z.string().max(2048),
  patterns: z.array(pattern).min(1).max(50),
  description: z.string().max(200),
};

export const newEndpoint = z.strictObject({
  ...fields,
  description: fields.description.default(""),
});
export const endpointPatch = z
  .strictObject({
    url: fields.url.optional(),
    patterns: fields.patterns.optional(),
    description: fields.description.optional(),
    enabled: z.boolean().optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, "say at least one field to change");

export const endpointView = z
  .object({
    id: z.string(),
    url: z.string(),
    patterns: z.array(z.string()),
    description: z.string(),
    enabled: z.boolean(),
    disabledWhy: z.string().nullable(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: "WebhookEndpoint" });

export const showEndpoint = (e: Endpoint): z.infer<typeof endpointView> => ({
  id: e.id,
  url: e.url,
  patterns: [...e.patterns],
  description: e.description,
  enabled: e.enabled,
  disabledWhy: e.disabledWhy,
  createdAt: iso(e.createdAt),
  updatedAt: iso(e.updatedAt),
});
