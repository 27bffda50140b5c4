import * as z from "zod";

/** JSON Schema as the document writes it; what is not known here is passed over. */
export type Schema = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Schema;
}

/** One line of the API's description. */
export interface Operation {
  readonly method: string;
  /** Below /api/v1, as in `/portfolios/{id}`. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Whether it stands in the description, or answers beside it. */
  readonly isDescribed: boolean;
  /** By content type. */
  readonly bodies: Readonly<Record<string, Schema>>;
}

export interface Described {
  readonly operations: readonly Operation[];
  readonly components: Readonly<Record<string, Schema>>;
}

const schema = z.record(z.string(), z.unknown());
const parameterView = z.object({
  name: z.string(),
  in: z.enum(["path", "query", "header"]),
  required: z.boolean().default(false),
  schema: schema.default({}),
});
const documentView = z.object({
  openapi: z.string().startsWith("3.1"),
  components: z.object({ schemas: z.record(z.string(), schema) }),
  paths: z.record(
    z.string(),
    z.partialRecord(
      z.enum(["get", "post", "put", "patch", "delete"]),
      z.object({
        parameters: z.array(parameterView).default([]),
        requestBody: z.object({ content: z.record(z.string(), z.object({ schema })) }).optional(),
      }),
    ),
  ),
});

/** What answers beside the described API: for probes, for people, and for receivers of events. */
const BESIDE = ["/ready", "/health", "/schemas/{type}/{version}"];

/** The API as it describes itself. */
export function readDescription(text: string): Described {
  const { paths, components } = documentView.parse(JSON.parse(text));
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, one]) =>
      one === undefined
        ? []
        : [
            {
              method: method.toUpperCase(),
              path,
              isDescribed: true,
              parameters: one.parameters,
              bodies: Object.fromEntries(
                Object.entries(one.requestBody?.content ?? {}).map(([type, content]) => [
                  type,
                  content.schema,
                ]),
              ),
            },
          ],
    ),
  );
  const beside = BESIDE.map((path) => ({
    method: "GET",
    path,
    isDescribed: false,
    parameters: [],
    bodies: {},
  }));
  return { operations: [...operations, ...beside], components: components.schemas };
}
