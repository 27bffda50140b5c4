import { describe, expect, it } from "vitest";
import {
  child,
  continueTrace,
  formatTraceparent,
  parseTraceparent,
  traceIdOf,
} from "../../../src/domain/trace/traceparent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const IDS = { traceId: () => "a".repeat(32), spanId: () => "b".repeat(16) };

describe("a traceparent", () => {
  it("is read as in the specification's own example", () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceId: TRACE,
      parentId: SPAN,
      sampled: true,
    });
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled).toBe(false);
  });

  it.each([
    ["nothing", ""],
    ["an all-zero trace id", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["an all-zero parent id", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["version ff", `ff-${TRACE}-${SPAN}-01`],
    ["upper case", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["a short trace id", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["a long parent id", `00-${TRACE}-${SPAN}0-01`],
    ["version 00 with more behind its flags", `00-${TRACE}-${SPAN}-01-more`],
    ["a trailing dash in version 00", `00-${TRACE}-${SPAN}-01-`],
    ["a later version without a dash before what is more", `cc-${TRACE}-${SPAN}-01more`],
    ["letters that are not hexadecimal", `00-${TRACE.slice(0, 31)}g-${SPAN}-01`],
    ["one-digit flags", `00-${TRACE}-${SPAN}-1`],
    ["no flags", `00-${TRACE}-${SPAN}`],
    ["two headers in one", `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ["white space", ` 00-${TRACE}-${SPAN}-01`],
    ["a line break", `00-${TRACE}-${SPAN}-01\n`],
  ])("is refused with %s", (_, text) => {
    expect(parseTraceparent(text)).toBeNull();
  });

  it("of an unknown version is read as far as it is known", () => {
    const known = { traceId: TRACE, parentId: SPAN, sampled: true };
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01`)).toEqual(known);
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-holds`)).toEqual(known);
  });

  it("goes out as version 00 with only the flag that version defines", () => {
    expect(child(`cc-${TRACE}-${SPAN}-ff-more`, "1".repeat(16))).toBe(
      `00-${TRACE}-${"1".repeat(16)}-01`,
    );
    expect(child(`00-${TRACE}-${SPAN}-fe`, "1".repeat(16))).toBe(
      `00-${TRACE}-${"1".repeat(16)}-00`,
    );
  });

  it("survives writing and reading", () => {
    const context = { traceId: TRACE, parentId: SPAN, sampled: false };
    expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
  });
});

describe("a trace", () => {
  it("is carried on with a new span", () => {
    expect(continueTrace(`00-${TRACE}-${SPAN}-01`, IDS)).toBe(`00-${TRACE}-${"b".repeat(16)}-01`);
  });

  it.each([null, undefined, "", "nonsense", `ff-${TRACE}-${SPAN}-01`])(
    "is started where %o comes in",
    (parent) => {
      expect(continueTrace(parent, IDS)).toBe(`00-${"a".repeat(32)}-${"b".repeat(16)}-01`);
    },
  );

  it("has an id to search logs for, or none", () => {
    expect(traceIdOf(`00-${TRACE}-${SPAN}-01`)).toBe(TRACE);
    expect([traceIdOf(null), traceIdOf(undefined), traceIdOf("x")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
