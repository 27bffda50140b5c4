import { type Choice, returnOf } from "./efficient-set.ts";
import { efficientReturn, endsOf } from "./mean-variance.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";

export const FRONTIER_POINTS = 20;
const MAX_FRONTIER_POINTS = 100;
/** Ends whose returns differ by less are one and the same portfolio. */
const SAME = 1e-10;

/**
 * Efficient portfolios from the minimum volatility to the highest return, at `points` expected
 * returns with even steps between them, both ends included. A single one where no portfolio returns
 * more than that of minimum volatility.
 */
export const frontierOf = (
  choice: Choice,
  points: number = FRONTIER_POINTS,
): Answer<number[][]> => {
  if (!(Number.isInteger(points) && points >= 2 && points <= MAX_FRONTIER_POINTS)) {
    return declined("invalidInput", `A frontier has 2 to ${MAX_FRONTIER_POINTS} points.`);
  }
  const ends = endsOf(choice);
  if (ends.kind === "refused") return ends;
  const { calmest, richest } = ends.value;
  const [lowest, highest] = [returnOf(choice, calmest), returnOf(choice, richest)];
  if (highest - lowest <= SAME) return answered([calmest]);
  const frontier = [calmest];
  for (let point = 1; point < points - 1; point += 1) {
    const target = lowest + ((highest - lowest) * point) / (points - 1);
    const found = efficientReturn(choice, target, ends.value, frontier.at(-1));
    if (found.kind === "refused") return found;
    frontier.push(found.value);
  }
  return answered([...frontier, richest]);
};
