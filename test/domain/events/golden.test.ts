import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  OLDER_SCHEMAS,
  PAYLOAD_SCHEMAS,
  schemaOf,
} from "../../../src/api/events/payload-schemas.ts";
import { EVENT_TYPES, type EventType, isEventType } from "../../../src/domain/events/catalogue.ts";
import type { AnyEvent, StoredEvent } from "../../../src/domain/events/envelope.ts";
import { chainHash, GENESIS } from "../../../src/domain/events/rolling-hash.ts";
import {
  UnknownEvent,
  UPCASTERS,
  upcast,
  upcastIfKnown,
} from "../../../src/domain/events/upcast.ts";
import { evolveAsset, initialAsset } from "../asset/asset-state.ts";

/**
 * Histories as earlier versions wrote them, with the rolling hash they had then. Files are only
 * ever added: a new version of a shape needs an event of that version here, and every event here
 * must stay readable forever.
 */
const FOLDER = join(import.meta.dirname, "../../golden");

const histories = readdirSync(FOLDER).map((file) => {
  const { hash, events } = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as {
    hash: string;
    events: StoredEvent[];
  };
  return { file, hash, events };
});
const everything = histories.flatMap(({ events }) => events);
const types = Object.keys(EVENT_TYPES) as EventType[];

describe("the golden histories", () => {
  it("hold every version of every type", () => {
    const kept = new Set(
      everything.map(({ eventType, schemaVersion }) => `${eventType}/${schemaVersion}`),
    );
    const written = types.flatMap((type) =>
      Array.from({ length: EVENT_TYPES[type].schemaVersion }, (_, n) => `${type}/${n + 1}`),
    );
    expect([...kept].toSorted()).toEqual(written.toSorted());
  });

  it.each(histories)("$file has the hash it was written with", ({ hash, events }) => {
    expect(events.reduce((before, event) => chainHash(before, event), GENESIS)).toBe(hash);
    expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
  });

  it.each(everything)("$eventType version $schemaVersion reads as today's shape", (stored) => {
    const { eventType, schemaVersion } = stored;
    if (!isEventType(eventType)) throw new Error("an unknown type");
    expect(schemaOf(eventType, schemaVersion)?.safeParse(stored.payload).error).toBeUndefined();
    const event = upcast(stored);
    expect(event.schemaVersion).toBe(EVENT_TYPES[eventType].schemaVersion);
    expect(PAYLOAD_SCHEMAS[eventType].safeParse(event.payload).error).toBeUndefined();
    // Only the payload and its version change: the fact keeps its name, place and time.
    const { payload: _old, schemaVersion: _was, ...kept } = stored;
    expect(event).toMatchObject(kept);
  });

  it("fold into the same asset as ever", () => {
    const acme = histories.find(({ file }) => file === "asset-acme.json");
    const state = (acme?.events ?? []).map(upcast).reduce(evolveAsset, initialAsset());
    expect(state.version).toBe(7);
    expect(state.fact).toMatchObject({ symbol: "ACME", live: false });
    const bars = [...(state.bars.get("1d")?.values() ?? [])];
    expect(bars).toHaveLength(45);
    expect(bars.at(-1)).toMatchObject({ close: 110.0793, version: 5 });
    expect(state.answers.size).toBe(1);
  });
});

describe("upcasting", () => {
  it("has one step for each version after the first", () => {
    for (const type of types) {
      expect(UPCASTERS[type], type).toHaveLength(EVENT_TYPES[type].schemaVersion - 1);
      expect(schemaOf(type, EVENT_TYPES[type].schemaVersion)).not.toBeNull();
      expect(Object.keys(OLDER_SCHEMAS[type] ?? {})).toHaveLength(
        EVENT_TYPES[type].schemaVersion - 1,
      );
      expect(schemaOf(type, EVENT_TYPES[type].schemaVersion + 1)).toBeNull();
    }
  });

  it("leaves an event of today as it is, and is the same done twice", () => {
    for (const stored of everything) {
      const once = upcast(stored);
      expect(upcast(once)).toEqual(once);
      if (stored.schemaVersion === once.schemaVersion) expect(once).toEqual(stored);
    }
  });

  it("of a chain is the steps one after the other", () => {
    for (const stored of everything) {
      if (!isEventType(stored.eventType)) continue;
      const steps = UPCASTERS[stored.eventType].slice(stored.schemaVersion - 1);
      const payload = steps.reduce<Readonly<Record<string, unknown>>>(
        (before, step) => step(before),
        stored.payload as Readonly<Record<string, unknown>>,
      );
      expect(upcast(stored).payload).toEqual(payload);
    }
  });

  it("never throws on an old payload, however poor", () => {
    const payload = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(fc.constantFrom(...types), payload, (eventType, value) => {
        for (
          let schemaVersion = 1;
          schemaVersion <= EVENT_TYPES[eventType].schemaVersion;
          schemaVersion++
        ) {
          const stored = {
            ...(everything[0] as StoredEvent),
            eventType,
            schemaVersion,
            payload: value,
          };
          expect(upcast(stored).schemaVersion).toBe(EVENT_TYPES[eventType].schemaVersion);
        }
      }),
    );
  });

  it.each([
    ["a type of the future", { eventType: "AssetSplit" }],
    ["a name that every object has", { eventType: "constructor" }],
    ["a version of the future", { schemaVersion: 99 }],
    ["an invalid version", { schemaVersion: 0 }],
    ["half a version", { schemaVersion: 1.5 }],
  ])("refuses %s by name; a reader that only shows gets it as it is", (_, changes) => {
    const stored = { ...(everything[0] as StoredEvent), ...changes };
    expect(() => upcast(stored)).toThrow(UnknownEvent);
    expect(upcastIfKnown(stored)).toBe(stored);
  });
});

describe("the rolling hash", () => {
  const events = everything.slice(0, 7);
  const chain = (list: readonly unknown[]) =>
    list.reduce<string>((hash, e) => chainHash(hash, e), GENESIS);

  it("detects every tampering: a change anywhere, a swap, a loss, an addition", () => {
    const whole = chain(events);
    fc.assert(
      fc.property(
        fc.nat({ max: events.length - 1 }),
        fc.nat({ max: events.length - 1 }),
        fc.constantFrom("change", "drop", "double", "swap"),
        (at, other, how) => {
          const copy: unknown[] = structuredClone(events);
          if (how === "change")
            copy[at] = { ...(copy[at] as AnyEvent), occurredAt: "2026-01-05T21:20:00.001Z" };
          if (how === "drop") copy.splice(at, 1);
          if (how === "double") copy.splice(at, 0, copy[at]);
          if (how === "swap") [copy[at], copy[other]] = [copy[other], copy[at]];
          if (how === "swap" && at === other) expect(chain(copy)).toBe(whole);
          else expect(chain(copy)).not.toBe(whole);
        },
      ),
    );
  });

  it("survives the journey through JSON, as queues and tables make it", () => {
    for (const event of everything) {
      expect(chainHash(GENESIS, JSON.parse(JSON.stringify(event)))).toBe(chainHash(GENESIS, event));
    }
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(chainHash(GENESIS, JSON.parse(JSON.stringify(value)))).toBe(
          chainHash(GENESIS, value),
        );
      }),
    );
  });
});
