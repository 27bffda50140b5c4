import type { ProcessDefinition } from "./definition.ts";
import { ONBOARD_ASSET } from "./onboard-asset.ts";

/** The kinds of process this version runs. */
export const PROCESS_KINDS = ["onboardAsset"] as const;
export type ProcessKind = (typeof PROCESS_KINDS)[number];

const DEFINITIONS: Readonly<Record<ProcessKind, ProcessDefinition>> = {
  onboardAsset: ONBOARD_ASSET,
};

export const definitionOf = (kind: ProcessKind): ProcessDefinition => DEFINITIONS[kind];
