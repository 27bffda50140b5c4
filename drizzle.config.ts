import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: [
    "./src/records/schema.ts",
    "./src/records/operations/access-schema.ts",
    "./src/records/operations/consistency-schema.ts",
    "./src/records/analysis/model-schema.ts",
    "./src/records/analysis/portfolio-schema.ts",
    "./src/records/analysis/backtest-schema.ts",
    "./src/records/assets/cross-check-schema.ts",
    "./src/records/assets/feed-schema.ts",
    "./src/records/operations/trace-schema.ts",
    "./src/read-model/schema.ts",
  ],
  out: "./migrations",
});
