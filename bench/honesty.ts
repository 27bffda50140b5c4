/**
 * `npm run honesty`: walks forward over the real series that come with the packages, asks the rules
 * engine every 20 bars knowing only the past, holds its answers against what came, and prints how
 * they fared as docs/proofs.md shows it.
 */
import { calibrationTable } from "../test/domain/recommendation/honesty-table.ts";

console.log(calibrationTable());
