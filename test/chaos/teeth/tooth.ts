/**
 * The suite that has to fail without a safety check: seeds of the simulator, its crash points, or a
 * test file.
 */
export type Suite =
  | { readonly seeds: number; readonly from?: number }
  | { readonly crashPoints: string }
  | { readonly project: string; readonly file: string; readonly test?: string };

/** A safety check, how to take it out, and who has to notice. */
export interface Tooth {
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly without: string;
  readonly noticedBy: Suite;
}

export const SEEDS: Suite = { seeds: 300 };
/** A file of test/worker, or those of its tests that have this in their name. */
export const worker = (file: string, test?: string): Suite => ({
  project: "worker",
  file: `test/worker/${file}.test.ts`,
  ...(test === undefined ? {} : { test }),
});

/** The same of test/domain. */
export const domain = (file: string, test?: string): Suite => ({
  project: "domain",
  file: `test/domain/${file}.test.ts`,
  ...(test === undefined ? {} : { test }),
});
