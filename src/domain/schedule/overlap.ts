import { iso } from "../iso.ts";

/**
 * Policy of a slot while an earlier slot's work of its schedule is still open: start in parallel,
 * be skipped, or wait for it if no other slot waits already.
 */
export const OVERLAP_POLICIES = ["allow", "skip", "bufferOne"] as const;

export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number];

export const isOverlapPolicy = (text: string): text is OverlapPolicy =>
  (OVERLAP_POLICIES as readonly string[]).includes(text);

export type OverlapDecision =
  | { readonly kind: "run" }
  | { readonly kind: "buffer" }
  | { readonly kind: "skip"; readonly why: string };

/**
 * Decides about a slot. `line` holds the earlier slots (epoch ms) whose work has not ended, in the
 * order in which they run: the open one first, then one that waits. More than two make no
 * difference. A new policy is one more word above and one more case here; the compiler requires it.
 */
export const decideOverlap = (policy: OverlapPolicy, line: readonly number[]): OverlapDecision => {
  const [open, waiting] = line;
  if (open === undefined) return { kind: "run" };
  switch (policy) {
    case "allow":
      return { kind: "run" };
    case "skip":
      return { kind: "skip", why: `the slot of ${iso(open)} is still open` };
    case "bufferOne":
      return waiting === undefined
        ? { kind: "buffer" }
        : {
            kind: "skip",
            why: `the slot of ${iso(open)} is still open and that of ${iso(waiting)} waits already`,
          };
  }
};
