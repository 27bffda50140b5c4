import { describe, expect, it } from "vitest";
import { editedParams, nextEditedId } from "../../../src/domain/dead-letter/edited-request.ts";

const source = { mode: "source", until: 5, backfill: false } as const;
const upload = { mode: "import", objectKey: "k", format: "csv" } as const;

describe("editing a parked job's order", () => {
  it("changes the fields of its mode and no others", () => {
    expect(editedParams(source, { until: 9 })).toEqual({
      ok: true,
      params: { ...source, until: 9 },
    });
    expect(editedParams(source, { backfill: true })).toEqual({
      ok: true,
      params: { ...source, backfill: true },
    });
    expect(editedParams(upload, { format: "json" })).toEqual({
      ok: true,
      params: { ...upload, format: "json" },
    });
  });

  it("names the fields that the order does not have", () => {
    expect(editedParams(source, { format: "csv", until: 1 })).toEqual({
      ok: false,
      fields: ["format"],
    });
    expect(editedParams(upload, { until: 1, backfill: true })).toEqual({
      ok: false,
      fields: ["until", "backfill"],
    });
    expect(editedParams({ mode: "derived" }, { until: 1 })).toEqual({
      ok: false,
      fields: ["until"],
    });
  });

  it("gives each request for the same work an id of its own", () => {
    const id = "ingest|BTC-USD|2030-01-07T12:00:00.000Z";
    expect(nextEditedId(id, [])).toBe(`${id}~1`);
    expect(nextEditedId(`${id}~1`, [])).toBe(`${id}~2`);
    expect(nextEditedId(id, [`${id}~1`, `${id}~12`, "ingest|OTHER|x~99"])).toBe(`${id}~13`);
  });
});
