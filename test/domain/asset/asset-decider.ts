import type { Bar } from "../../../src/domain/asset/bar.ts";
import type {
  IngestCommand,
  RecordRecommendationCommand,
  RegisterCommand,
} from "../../../src/domain/asset/commands.ts";
import type { CorporateAction } from "../../../src/domain/asset/corporate-action.ts";
import {
  decideIngest,
  decideRecommendation,
  decideRegister,
} from "../../../src/domain/asset/decide.ts";
import type { AssetFact } from "../../../src/domain/events/catalogue.ts";
import type { AnyEvent, NewEvent } from "../../../src/domain/events/envelope.ts";
import type { RecommendationBody } from "../../../src/domain/recommendation/recommendation.ts";
import type { Decided, Decider } from "../../kit/given.ts";
import { type AssetState, evolveAsset, initialAsset, viewOf } from "./asset-state.ts";

export type AssetCommand =
  | { readonly do: "register"; readonly command: RegisterCommand }
  | { readonly do: "ingest"; readonly command: IngestCommand }
  | { readonly do: "recommend"; readonly command: RecordRecommendationCommand };

const decide = (state: AssetState, command: AssetCommand) => {
  const view = viewOf(state);
  switch (command.do) {
    case "register":
      return decideRegister(view, command.command);
    case "ingest":
      return decideIngest(view, command.command);
    case "recommend":
      return decideRecommendation(view, command.command);
  }
};

/** An event in its place in the log, as the object would put it there. */
export const placed = (event: NewEvent, version: number): AnyEvent =>
  ({
    eventId: `event-${version}`,
    schemaVersion: 1,
    streamId: "asset/ACME",
    version,
    occurredAt: "2026-01-05T21:20:00.000Z",
    tenantId: "default",
    actorId: "test",
    jobId: null,
    correlationId: "c",
    causationId: null,
    ...event,
  }) as AnyEvent;

export const assetDecider: Decider<AssetState, AssetCommand, AnyEvent> = {
  initial: initialAsset,
  evolve: evolveAsset,
  decide: (state, command): Decided<AnyEvent> => {
    const decision = decide(state, command);
    if (decision.kind === "refused") return { refused: decision.error.code };
    return decision.events.map((event, index) => placed(event, state.version + 1 + index));
  },
};

const cause = { actorId: "test", jobId: null, correlationId: "c", causationId: null };

export const FACT: AssetFact = {
  symbol: "ACME",
  type: "STOCK",
  currency: "USD",
  calendar: "XNYS",
  source: "import",
  live: true,
  archived: false,
};

export const DAY = 86_400_000;

export const bar = (day: number, close: number): Bar => ({
  timestamp: day * DAY,
  open: null,
  high: null,
  low: null,
  close,
  volume: null,
});

export const register = (changes: Partial<AssetFact> = {}): AssetCommand => ({
  do: "register",
  command: { symbol: "ACME", cause, fact: { ...FACT, ...changes } },
});

export const ingest = (...bars: readonly Bar[]): AssetCommand => ingestWith([], ...bars);

export const ingestWith = (
  actions: readonly CorporateAction[],
  ...bars: readonly Bar[]
): AssetCommand => ({
  do: "ingest",
  command: {
    symbol: "ACME",
    cause,
    jobId: "ingest|ACME|a",
    requestHash: "",
    resolution: "1d",
    source: "import",
    scheduleId: null,
    slot: null,
    bars,
    actions,
  },
});

export const recommend = (
  snapshotHash: string,
  id: string,
  expectedVersion: number,
): AssetCommand => ({
  do: "recommend",
  command: {
    symbol: "ACME",
    cause,
    jobId: "recommendation|ACME|a",
    requestHash: "",
    expectedVersion,
    recommendation: { recommendationId: id, symbol: "ACME", snapshotHash } as RecommendationBody,
  },
});
