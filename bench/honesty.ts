/**
 * `npm run honesty`: walks forward over the real series that come with the packages, asks the rules
 * engine every 20 bars with only the past, compares its answers with the actual moves, and prints
 * the outcomes as docs/proofs.md shows them.
 */
import { calibrationTable } from "../test/domain/recommendation/honesty-table.ts";

console.log(calibrationTable());
