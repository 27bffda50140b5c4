/** What a slot does when work of an earlier slot of its schedule is still open: start beside it, or give way. */
export const OVERLAP_POLICIES = ["allow", "skip"] as const;

export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number];

export const isOverlapPolicy = (text: string): text is OverlapPolicy =>
  (OVERLAP_POLICIES as readonly string[]).includes(text);

export type OverlapDecision = { readonly kind: "run" } | { readonly kind: "skip"; readonly why: string };

/**
 * Whether a slot runs. `openSlot` is the earlier slot (epoch ms) whose work has not ended, or null when all has.
 * A new policy is one more word above and one more case here; the compiler asks for it.
 */
export const decideOverlap = (policy: OverlapPolicy, openSlot: number | null): OverlapDecision => {
  if (openSlot === null) return { kind: "run" };
  switch (policy) {
    case "allow":
      return { kind: "run" };
    case "skip":
      return { kind: "skip", why: `the slot of ${new Date(openSlot).toISOString()} is still open` };
  }
};
