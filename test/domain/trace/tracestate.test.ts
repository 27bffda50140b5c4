import { describe, expect, it } from "vitest";
import { readTracestate } from "../../../src/domain/trace/tracestate.ts";

const members = (count: number, value = "1"): string =>
  Array.from({ length: count }, (_, n) => `k${n}=${value}`).join(",");

describe("a tracestate", () => {
  it.each([
    ["the specification's own example", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", undefined],
    ["a tenant's key", "fw529a3039@dt=FfffeKLM,1a@b=c", undefined],
    ["every character a key may have", "a0_-*/=1", undefined],
    ["every kind of character a value may have", "a=!\"#$%&'()*+-./0:;<>?@[]^_`{|}~z z", undefined],
    ["blanks around its members", "foo=1 \t , \t bar=2, \tbaz=3", "foo=1,bar=2,baz=3"],
    ["a blank at a value's beginning", "foo=  1", undefined],
    ["empty members", ",foo=1,,bar=2,", "foo=1,bar=2"],
    ["32 members", members(32), undefined],
    ["a key of 256 characters", `${"k".repeat(256)}=1`, undefined],
    ["a value of 256 characters", `k=${"v".repeat(256)}`, undefined],
    ["keys of two tenants of one system", "a@s=1,b@s=2", undefined],
  ])("is handed on with %s", (_, text, handedOn) => {
    expect(readTracestate(text)).toBe(handedOn ?? text);
  });

  it.each([
    ["nothing", ""],
    ["only blanks and commas", " ,\t, "],
    ["a key twice", "foo=1,bar=2,foo=3"],
    ["the same member twice", "foo=1,foo=1"],
    ["33 members", members(33)],
    ["no equals sign", "foo"],
    ["no key", "=1"],
    ["no value", "foo="],
    ["an equals sign in the value", "foo=1=2"],
    ["upper case in a key", "Foo=1"],
    ["a blank in a key", "fo o=1"],
    ["a blank before the equals sign", "foo =1"],
    ["a digit at a key's beginning", "1foo=1"],
    ["two at signs", "a@b@c=1"],
    ["nothing before the at sign", "@b=1"],
    ["nothing behind the at sign", "a@=1"],
    ["a digit at a system's beginning", "a@1b=1"],
    ["a key of 257 characters", `${"k".repeat(257)}=1`],
    ["a tenant of 242 characters", `${"t".repeat(242)}@v=1`],
    ["a system of 15 characters", `t@${"v".repeat(15)}=1`],
    ["a value of 257 characters", `k=${"v".repeat(257)}`],
    ["a tab in a value", "foo=a\tb"],
    ["a letter beyond ASCII", "foo=ñ"],
    ["a line break", "foo=1\r\nx-forged: 1"],
    ["one broken member among good ones", "foo=1,bar,baz=3"],
  ])("is dropped whole with %s", (_, text) => {
    expect(readTracestate(text)).toBeNull();
  });

  it("keeps whole members from the left when it is longer than 512 characters", () => {
    // 25 of 20 characters and a comma are 524; 24 of them are 503.
    const many = Array.from(
      { length: 25 },
      (_, n) => `${String.fromCharCode(97 + n)}=${"v".repeat(18)}`,
    );
    expect(readTracestate(many.join(","))).toBe(many.slice(0, 24).join(","));
    const fits = ["a", "b", "c", "d"].map((key, n) => `${key}=${"v".repeat(n === 0 ? 123 : 125)}`);
    expect(fits.join(",")).toHaveLength(509);
    expect(readTracestate(fits.join(","))).toBe(fits.join(","));
  });

  it("drops members of more than 128 characters first", () => {
    const long = `long=${"v".repeat(200)}`;
    const short = Array.from({ length: 16 }, (_, n) => `k${n}=${"v".repeat(18)}`);
    expect(readTracestate([short[0], long, ...short.slice(1)].join(","))).toBe(short.join(","));
    expect(readTracestate(`k=${"v".repeat(256)},l=${"v".repeat(256)}`)).toBe(
      `k=${"v".repeat(256)}`,
    );
  });

  it("of a hostile length is refused without ado", () => {
    const startedAt = performance.now();
    expect(readTracestate(members(20_000))).toBeNull();
    expect(readTracestate(`k=${" ".repeat(100_000)}\u0000`)).toBeNull();
    expect(readTracestate(`${"\t ".repeat(50_000)}k=1`)).toBe("k=1");
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
