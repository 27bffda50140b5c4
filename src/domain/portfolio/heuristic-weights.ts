import { sumOf } from "./matrix.ts";
import { type Answer, answered, declined } from "./portfolio-refusal.ts";

/** 1 / n each. */
export const equalWeights = (count: number): number[] => new Array<number>(count).fill(1 / count);

/** A variance below this part of the largest is rounding. */
const NO_VARIANCE = 1e-14;

/**
 * Refuses `noVolatility` when an asset has no variance: methods that divide by it have no answer
 * then.
 */
export const needsVolatility = (
  symbols: readonly string[],
  variances: readonly number[],
): Answer<readonly number[]> => {
  const floor = NO_VARIANCE * Math.max(...variances);
  const flat = symbols.filter((_, index) => !((variances[index] ?? 0) > floor));
  const errors = flat.map((field) => ({ field, reason: "the price has not moved" }));
  return flat.length === 0
    ? answered(variances)
    : declined(
        "noVolatility",
        `This method needs every price to move: ${flat.join(", ")} has not.`,
        {
          errors,
        },
      );
};

/** wᵢ ∝ 1 / σᵢ, σ² being the variances. */
export const inverseVolatilityWeights = (
  symbols: readonly string[],
  variances: readonly number[],
): Answer<number[]> => {
  const moving = needsVolatility(symbols, variances);
  if (moving.kind === "refused") return moving;
  const inverse = moving.value.map((variance) => 1 / Math.sqrt(variance));
  const total = sumOf(inverse);
  return answered(inverse.map((value) => value / total));
};
