/**
 * A number as it appears in a sentence: six significant digits, no grouping, the same on every
 * machine.
 */
export const toSixDigits = (value: number): string => String(Number(value.toPrecision(6)));

/** A fraction as a percentage with one decimal: 0.1234 → "12.3 %". */
export const percent = (fraction: number): string => `${(fraction * 100).toFixed(1)} %`;
