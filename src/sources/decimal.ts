import * as z from "zod";

/**
 * A number, or its text, as vendors write it who keep the last digit exact. Never "", which would
 * read as zero.
 */
export const decimal = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?$/)
    .transform(Number)
    .pipe(z.number()),
]);
