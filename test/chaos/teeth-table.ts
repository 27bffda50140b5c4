import { EFFECTS } from "./teeth/effects.ts";
import { GUARDS } from "./teeth/guards.ts";
import { IMPORTS } from "./teeth/imports.ts";
import { MODELS } from "./teeth/models.ts";
import { START } from "./teeth/start.ts";

/**
 * Every safety check, how to take it out, and who has to notice. To add one: name it, quote it, say
 * what stands without it.
 */
export const TEETH = [...EFFECTS, ...GUARDS, ...MODELS, ...START, ...IMPORTS];
