import { describe, expect, test } from "vitest";
import { understand } from "../../../src/domain/import/understand.ts";

const file = (close: string): string =>
  `Date;Close\n2023-03-01;${close}\n2023-03-02;${close}\n2023-03-03;${close}\n`;

const problemsOf = (close: string, currency?: string): readonly string[] =>
  understand(file(close), {
    maxRows: 10,
    calendar: "XNYS",
    ...(currency === undefined ? {} : { currency }),
    answers: { decimal: "." },
  }).problems;

describe("a currency sign at the numbers of a file", () => {
  test.each([
    ["$12.50", "EUR"],
    ["€12.50", "USD"],
    ["12.50 €", "USD"],
    ["-€12.50", "CHF"],
    ["£12.50", "USD"],
    ["£12.50", "GBX"],
    ["¥1250.50", "USD"],
    ["₹12.50", "EUR"],
    ["₿0.50", "USD"],
    ["$12.50", "GBX"],
    ["€0.50", "USDT"],
  ])("refuses %s for prices in %s, with the way out", (close, currency) => {
    expect(problemsOf(close, currency)).toEqual([
      expect.stringMatching(
        new RegExp(
          `currency is ${currency}: send prices in ${currency}, .*PATCH.*take the sign out`,
        ),
      ),
    ]);
  });

  test.each([
    ["$12.50", "USD"],
    ["$12.50", "CAD"],
    ["$12.50", "AUD"],
    ["$12.50", "MXN"],
    ["$12.50", "USDT"],
    ["$12.50", "FDUSD"],
    ["€12.50", "EUR"],
    ["12.50 €", "EUR"],
    ["€12.50", "EURC"],
    ["£12.50", "GBP"],
    ["¥1250.50", "CNY"],
    ["฿12.50", "THB"],
    ["₲12.50", "PYG"],
    ["12.50", "EUR"],
  ])("takes %s for prices in %s", (close, currency) => {
    expect(problemsOf(close, currency)).toEqual([]);
  });

  test("is refused at any place in the file, and when another fits", () => {
    const mixed = "Date,Open,High,Low,Close\n2023-03-01,$1,$2,$1,$2\n2023-03-02,$1,$2,$1,€2\n";
    const rules = { maxRows: 10, calendar: "XNYS", currency: "USD", answers: {} } as const;
    expect(understand(mixed, rules).problems).toEqual([expect.stringContaining('has "€"')]);
  });

  test("refuses nothing when the currency of the prices is not given", () => {
    expect(problemsOf("€12.50")).toEqual([]);
  });
});
