import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agreementOf, type Close, compareCloses } from "../../../src/domain/quality/cross-check.ts";

const DAY = 86_400_000;
const series = (count: number): Close[] =>
  Array.from({ length: count }, (_, n) => ({ timestamp: n * DAY, close: 100 + 9 * Math.sin(n) }));
const times = (closes: readonly Close[], factor: number): Close[] =>
  closes.map(({ timestamp, close }) => ({ timestamp, close: close * factor }));

/** Changes of a close: less than 50 basis points, and more. */
const LIFTS: Readonly<Record<string, number>> = { near: 1.004, far: 1.0061 };

describe("two sources' closes", () => {
  it("that are the same differ nowhere, whatever the order they come in", () => {
    const ours = series(100);
    const same = {
      compared: 100,
      differing: 0,
      missingHere: 0,
      missingThere: 0,
      scale: null,
      worst: [],
    };
    expect(compareCloses(ours, ours.toReversed(), 0)).toEqual({ ...same, toleranceBps: 0 });
  });

  it("differ exactly where they were changed by more than is tolerated, and are missed where they were taken out", () => {
    const changes = fc.array(
      fc.constantFrom("keep", "keep", "keep", "near", "far", "here", "there"),
      {
        minLength: 10,
        maxLength: 120,
      },
    );
    fc.assert(
      fc.property(changes, (kinds) => {
        const all = series(kinds.length);
        const at = (kind: string) => all.filter((_, n) => kinds[n] === kind);
        fc.pre(at("keep").length + at("near").length > at("far").length);
        const ours = all.filter((_, n) => kinds[n] !== "here");
        const theirs = all
          .map((one, n) => ({
            ...one,
            close: one.close * (LIFTS[kinds[n] ?? "keep"] ?? 1),
          }))
          .filter((_, n) => kinds[n] !== "there");
        const found = compareCloses(ours, theirs, 50);
        expect(found).toMatchObject({
          compared: at("keep").length + at("near").length + at("far").length,
          differing: at("far").length,
          missingHere: at("here").length,
          missingThere: at("there").length,
          scale: null,
        });
        expect(found.worst).toHaveLength(
          Math.min(50, at("far").length + at("here").length + at("there").length),
        );
      }),
    );
  });

  it("are named by the worst fifty, the furthest apart first", () => {
    const ours = series(200);
    const theirs = ours.map((one, n) =>
      n < 90 ? { ...one, close: one.close * (1 + n / 1_000) } : one,
    );
    const { worst, differing } = compareCloses(ours, theirs, 50);
    expect(differing).toBe(84);
    expect(worst).toHaveLength(50);
    expect(worst[0]).toMatchObject({
      timestamp: 89 * DAY,
      kind: "close",
      bps: expect.closeTo(890, 6),
    });
    expect(worst.map(({ bps }) => bps)).toEqual(
      worst.map(({ bps }) => bps).toSorted((a, b) => (b ?? 0) - (a ?? 0)),
    );
  });

  it.each([
    [100, "hundredths"],
    [0.01, "hundredths"],
    [4, "split"],
    [1 / 20, "split"],
    [2 / 3, "split"],
    [1.17, "unknown"],
  ] as const)(
    "on a scale of %d are on a scale like %s, and are compared without it",
    (factor, looksLike) => {
      const ours = series(60);
      const theirs = times(ours, factor).map((one, n) =>
        n === 7 ? { ...one, close: one.close * 1.05 } : one,
      );
      const found = compareCloses(ours, theirs, 50);
      expect(found.scale).toEqual({ factor: expect.closeTo(factor, 6), looksLike });
      expect(found).toMatchObject({ compared: 60, differing: 1, worst: [{ timestamp: 7 * DAY }] });
      expect(found.worst[0]?.bps).toBeCloseTo(500, 6);
    },
  );

  it("are on no other scale when only some are, or when too few are common", () => {
    const ours = series(60);
    const half = ours.map((one, n) => (n < 30 ? { ...one, close: one.close * 4 } : one));
    expect(compareCloses(ours, half, 50)).toMatchObject({ scale: null, differing: 30 });
    expect(compareCloses(ours.slice(0, 2), times(ours.slice(0, 2), 4), 50)).toMatchObject({
      scale: null,
      differing: 2,
    });
    expect(compareCloses([], [], 50)).toMatchObject({ compared: 0, scale: null });
    expect(compareCloses(ours, [], 50)).toMatchObject({ compared: 0, missingThere: 60 });
  });

  it("agree by the share that does, once more than a few do not", () => {
    const share = (differing: number, compared = 100) => agreementOf({ differing, compared });
    expect([share(0), share(5), share(6), share(40), share(100), share(0, 0)]).toEqual([
      1, 1, 0.94, 0.6, 0, 1,
    ]);
  });
});
