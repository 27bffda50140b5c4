import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: [
    "./src/records/schema.ts",
    "./src/records/access-schema.ts",
    "./src/records/consistency-schema.ts",
    "./src/records/model-schema.ts",
    "./src/records/portfolio-schema.ts",
    "./src/records/backtest-schema.ts",
    "./src/records/cross-check-schema.ts",
    "./src/records/feed-schema.ts",
    "./src/records/trace-schema.ts",
    "./src/read-model/schema.ts",
  ],
  out: "./migrations",
});
