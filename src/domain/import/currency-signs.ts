const words = (text: string): readonly string[] => text.split(" ");

/** The currencies (ISO 4217, and bitcoin) that a sign may mean. An unlisted sign excludes none. */
const MEANINGS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "$",
    words(
      "USD CAD AUD NZD HKD SGD TWD BND FJD BBD BMD BSD BZD GYD JMD KYD LRD NAD SBD SRD TTD XCD ZWL MXN CLP COP ARS UYU DOP CUP PHP BRL NIO TOP WST CVE MOP",
    ),
  ],
  ["€", ["EUR"]],
  ["£", words("GBP EGP SDG SSP SYP LBP FKP GIP SHP")],
  ["¥", words("JPY CNY CNH")],
  ["￥", words("JPY CNY CNH")],
  ["₹", ["INR"]],
  ["₩", words("KRW KPW")],
  ["₽", ["RUB"]],
  ["₺", ["TRY"]],
  ["₪", ["ILS"]],
  ["₫", ["VND"]],
  ["₱", words("PHP CUP")],
  ["฿", words("THB BTC")],
  ["₦", ["NGN"]],
  ["₴", ["UAH"]],
  ["₸", ["KZT"]],
  ["₿", words("BTC XBT")],
]);

/**
 * Longer codes with a currency's in them are the coins that hold its value, and written with its
 * sign: USDT, FDUSD, EURC.
 */
const isMeant = (code: string, currency: string): boolean =>
  currency === code || (currency.length > code.length && currency.includes(code));

/**
 * The reason why a file with these signs does not hold prices in a currency, or null. `£` is no
 * sign of GBX: pounds would be stored as pence, a hundredth of the price.
 */
export const foreignSign = (signs: Iterable<string>, currency: string): string | null => {
  for (const sign of signs) {
    const codes = MEANINGS.get(sign);
    if (codes !== undefined && !codes.some((code) => isMeant(code, currency)))
      return `the file has "${sign}" at its numbers, and the asset's currency is ${currency}: send prices in ${currency}, or give the asset the file's currency (PATCH /api/v1/assets/{symbol}), or take the sign out if it is wrong`;
  }
  return null;
};
