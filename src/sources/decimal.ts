import * as z from "zod";

/**
 * A number, or the text of one as vendors write it who mind the last digit. Never "", which would
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
