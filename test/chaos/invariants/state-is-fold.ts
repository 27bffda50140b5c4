import { barKeyOf, foldBars } from "./fold.ts";
import type { Invariant } from "./list.ts";
import { difference } from "./view.ts";

/** An object's state equals the fold of its events: the log is the truth, and the only one. */
export const stateIsFold: Invariant = {
  name: "state is the fold of the events",
  check: (view) =>
    view.objects
      .filter(({ db }) => db.has("bars"))
      .flatMap((object) => {
        const folded = [...foldBars(object)].map(([key, bar]): [string, string] => [
          key,
          JSON.stringify([...bar.values, bar.version]),
        ]);
        const rows = object.db
          .rows("SELECT * FROM bars")
          .map((row): [string, string] => [
            barKeyOf(row["resolution"], Number(row["timestamp"])),
            JSON.stringify([
              row["open"],
              row["high"],
              row["low"],
              row["close"],
              row["volume"],
              row["version"],
            ]),
          ]);
        return difference(`bars of ${object.host.label}`, new Map(folded), new Map(rows)) ?? [];
      }),
};
