import type { ProcessKind } from "./kinds.ts";
import type { ProcessState } from "./state.ts";

/** A process as recorded: its request and its progress. Instants are epoch milliseconds. */
export interface ProcessRecord {
  /** `kind|subject|number`: two requests for the same work are one process. */
  readonly id: string;
  readonly kind: ProcessKind;
  readonly input: unknown;
  readonly progress: ProcessState;
  /** Counts its changes; a change is written only over the version it was decided on. */
  readonly version: number;
  readonly actor: string;
  readonly traceparent: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/**
 * The id of the `number`th process of a kind about a subject; ids of one subject sort by number.
 */
export const processId = (kind: ProcessKind, subject: string, number: number): string =>
  `${processIdPrefix(kind, subject)}${String(number).padStart(6, "0")}`;

export const processIdPrefix = (kind: ProcessKind, subject: string): string =>
  `${kind}|${subject}|`;

/** Which process of its kind and subject an id names; 0 for an id of another shape. */
export const processNumber = (id: string): number => Number(/\|(\d{6})$/.exec(id)?.[1] ?? 0);
