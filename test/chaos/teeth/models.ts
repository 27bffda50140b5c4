import { domain, type Tooth, worker } from "./tooth.ts";

/** What stands between a language model and what is published, and between it and the bill. */
export const MODELS: readonly Tooth[] = [
  {
    name: "a number that is not in the data refuses an answer",
    file: "src/domain/recommendation/llm/checks.ts",
    noticedBy: domain("recommendation/llm/checks"),
    text: "    for (const number of strangeNumbers(text, citable))",
    without: "    for (const number of strangeNumbers(text, citable).slice(99))",
  },
  {
    name: "percent and plain numbers are not the same",
    file: "src/domain/recommendation/llm/numbers.ts",
    noticedBy: domain("recommendation/llm/numbers", "percent"),
    text: "const shown = isPercent ? citable.percent : citable.plain;",
    without: "const shown = isPercent ? citable.plain : citable.plain;",
  },
  {
    name: "rounding may not change much",
    file: "src/domain/recommendation/llm/numbers.ts",
    noticedBy: domain("recommendation/llm/numbers"),
    text: "difference <= Math.abs(value) * MOST_ROUNDING",
    without: "difference <= 1 + MOST_ROUNDING",
  },
  {
    name: "unknown evidence refuses an answer",
    file: "src/domain/recommendation/llm/checks.ts",
    noticedBy: domain("recommendation/llm/checks", "evidence that is not there"),
    text: "ids.filter((id) => !known.has(id))",
    without: "ids.filter((id) => id === known.size.toString())",
  },
  {
    name: "outside texts cannot end the data",
    file: "src/domain/recommendation/llm/outside-text.ts",
    noticedBy: domain("recommendation/llm/prompt", "is data on one short line"),
    text: '.replace(/[<>`{}=#]|-{3,}/g, " ")',
    without: "",
  },
  {
    name: "a key does not stay in an audit",
    file: "src/domain/recommendation/llm/audit.ts",
    noticedBy: worker("llm-races", "without secrets"),
    text: 'rest.replaceAll(secret, "***")',
    without: "rest",
  },
  {
    name: "a question in work is asked by nobody else",
    file: "src/records/model-records.ts",
    noticedBy: worker("llm-races", "two workers"),
    text: "WHERE state = 'asking' AND lease_until <= ?4",
    without: "WHERE state = 'asking'",
  },
  {
    name: "the day's tokens are a limit",
    file: "src/records/model-records.ts",
    noticedBy: worker("llm-races", "reserve no token twice"),
    text: "WHERE tokens + ?2 <= ?3\n",
    without: "WHERE ?2 <= ?3\n",
  },
  {
    name: "a provider's limit is obeyed",
    file: "src/wiring/models.ts",
    noticedBy: worker("llm", "is obeyed"),
    text: "own !== undefined && own.until > p.now() ? own.reason : null",
    without: "own !== undefined && own.until > p.now() + 1e12 ? own.reason : null",
  },
  {
    name: "a model's answer never follows a redirect",
    file: "src/models/bounded-fetch.ts",
    noticedBy: domain("models/ask", "a redirect"),
    text: 'redirect: "manual"',
    without: 'redirect: "follow"',
  },
  {
    name: "a dry run asks no model",
    file: "src/wiring/dry-run.ts",
    noticedBy: worker("llm-races", "asks no model"),
    text: "        ...modelPreview(p),\n",
    without: "        ...(modelPreview(p) && {}),\n",
  },
];
