import { domain, type Tooth, worker } from "./tooth.ts";

/** Checks that keep a file from being misread, and from taking the instance with it. */
export const IMPORTS: readonly Tooth[] = [
  {
    name: "rows are counted before they are kept",
    file: "src/domain/import/rows.ts",
    noticedBy: domain("import/memory", "rows of a letter under a header"),
    text: "if (count <= maxRows) rows.push(",
    without: "rows.push(",
  },
  {
    name: "a cell has a length limit",
    file: "src/domain/import/records.ts",
    noticedBy: domain("import/memory", "one quoted cell"),
    text: "const inside = text.slice(from, Math.min(at, from + MAX_CELL_LENGTH));",
    without: "const inside = text.slice(from, at);",
  },
  {
    name: "JSON is counted before it is parsed",
    file: "src/queues/ingest/import-format.ts",
    noticedBy: domain("import/memory", "lists in lists"),
    text: "  if (objects > rows + 3)",
    without: "  if (objects < 0)",
  },
  {
    name: "a number has a length limit",
    file: "src/domain/asset/read-number.ts",
    noticedBy: domain("asset/read-csv-bars", "a close is never"),
    text: "  if (text.length > MAX_NUMBER_LENGTH)",
    without: "  if (text.length < 0)",
  },
  {
    name: "a midnight at the written offset spells a date",
    file: "src/domain/import/instants.ts",
    noticedBy: domain("import/exports", "midnights with an offset"),
    text: "if (dated && isMidnight && !time.isInstant) return midnight;",
    without: "void isMidnight;",
  },
  {
    name: "so it does in JSON",
    file: "src/domain/asset/read-bars.ts",
    noticedBy: worker("ingest/imports", "under the date it spells"),
    text: 'typeof instant === "number" ? {',
    without: 'typeof instant === "string" ? {',
  },
  {
    name: "a Sunday of a week is asked about",
    file: "src/domain/import/week-dates.ts",
    noticedBy: domain("import/exports", "weeks of a share dated on Sundays"),
    text: "question: sunday === undefined ? null : askWeek(sunday)",
    without: "question: sunday === undefined ? null : null",
  },
  {
    name: "a week of foreign exchange opens on Sunday",
    file: "src/domain/market/bar-key.ts",
    noticedBy: domain("market/bar-key"),
    text: 'calendarId === "FX" && weekdayOf(day) === SUNDAY',
    without: "weekdayOf(day) > SUNDAY + 7",
  },
  {
    name: "an evening is not taken for its day",
    file: "src/domain/import/instants.ts",
    noticedBy: domain("import/exports", "daily evenings in UTC"),
    text: "if (evening !== null) questions.push(",
    without: "if (evening === undefined) questions.push(",
  },
  {
    name: "thousands or decimals beside semicolons are asked about",
    file: "src/domain/import/number-form.ts",
    noticedBy: domain("import/exports", "whole thousands"),
    text: 'if (signs.pointOrThousands > 0 && (delimiter === ";" || looksContinental)) return null;',
    without: "",
  },
  {
    name: "an export of another country is asked about",
    file: "src/domain/import/date-form.ts",
    noticedBy: domain("import/exports", "of so few days"),
    text: "dayFirst + monthFirst === 0 && !doubted",
    without: "dayFirst + monthFirst === 0",
  },
  {
    name: "the bytes of a file reach the job under an Idempotency-Key",
    file: "src/api/http/idempotency.ts",
    noticedBy: worker("ingest/imports", "as they came"),
    text: "  await c.req.arrayBuffer();",
    without: "",
  },
];
