import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./local/longest-first.ts";
import { platformQueue, QUEUES } from "./src/domain/queue/queues.ts";

/** The packages that src imports. */
const BUNDLED = [
  "@hono/zod-openapi",
  "@noble/hashes/sha2.js",
  "@noble/hashes/utils.js",
  "croner",
  "hono",
  "hono/body-limit",
  "hono/etag",
  "hono/html",
  "hono/http-exception",
  "hono/route",
  "hono/secure-headers",
  "ipaddr.js",
  "quadprog",
  "uuid",
  "zod",
];

/**
 * Four worlds: the pure rules in Node, everything that touches the platform in workerd, the whole as started, and the
 * whole under a simulated platform that fails in every way.
 */
export default defineConfig(async () => ({
  test: {
    // Many tests wait for something, so two files at once pay even on a machine of two cores; vitest would take one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    // `npm test` turns it on for the pure rules alone: there a line that no test runs is a rule that nothing holds.
    coverage: {
      provider: "v8" as const,
      include: ["src/domain/**/*.ts"],
      reporter: ["text-summary"],
      reportOnFailure: true,
      thresholds: { lines: 95 },
    },
    projects: [
      {
        test: {
          name: "domain",
          include: ["test/domain/**/*.test.ts"],
          environment: "node" as const,
          // Pure rules have nothing that one file could leave behind for the next.
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        // The shipped Worker over a simulated platform. `npm run chaos` runs the same without vitest, for more seeds.
        resolve: {
          alias: {
            "cloudflare:workers": fileURLToPath(
              new URL("./test/chaos/platform/cloudflare-workers.ts", import.meta.url),
            ),
          },
        },
        test: {
          name: "chaos",
          include: ["test/chaos/**/*.test.ts"],
          environment: "node" as const,
          // One test walks thousands of runs, all computation: on a busy machine it takes minutes.
          testTimeout: 600_000,
          hookTimeout: 120_000,
        },
      },
      {
        // The whole system as a user starts it. One file at a time: each starts a runtime of its own.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          environment: "node" as const,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        plugins: [
          {
            // The maps are as large as the code, and no test asks for a line of a package.
            name: "packages without source maps",
            enforce: "post" as const,
            transform: (code: string, id: string) =>
              id.includes("/node_modules/") ? { code, map: { mappings: "" } } : null,
          },
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations("./migrations"),
                ADMIN_API_KEY: "test-admin-key-0123456789",
                ENCRYPTION_KEY: "test:dGhlIGtleSBvZiB0aGUgdGVzdHMsIDMyIGJ5dGVzISE=",
                ENVIRONMENT: "local",
                PUBLIC_ORIGIN: "http://127.0.0.1:8787",
                WEBHOOK_ALLOW_LOOPBACK: "on",
                // Said here because wrangler lets the shell's variables of these names win over its own file.
                VENDOR_SOURCES: "auto",
                LLM_PROVIDER: "off",
                ENGINES: "",
                // Tests say when the read model is compared with the logs.
                RECONCILE_EVERY_HOURS: "0",
                RECONCILE_DEEP_STREAMS: "20",
              },
              // Batches close after 50 ms, so that tests which let real queues run do not wait a second at every hop.
              queueConsumers: Object.fromEntries(
                QUEUES.map((name) => [platformQueue(name), { maxBatchTimeout: 0.05 }]),
              ),
            },
          }),
        ],
        test: {
          name: "worker",
          // Every file starts a workerd of its own and sends it all it imports. Bundled, the packages are ten modules
          // there instead of 170, without their source maps.
          deps: { optimizer: { ssr: { enabled: true, include: BUNDLED } } },
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["./test/worker/kit/setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
}));
