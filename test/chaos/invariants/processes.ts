import { definitionOf, type ProcessKind } from "../../../src/domain/process/kinds.ts";
import type { Row } from "../platform/sqlite.ts";
import type { Invariant } from "./list.ts";
import { listOf, type View } from "./view.ts";

/**
 * An accepted process ends: with every step done, or with every step that had begun compensated.
 * Each of its effects is recorded once, and so is its end. Only a poisoned object may leave one
 * stuck.
 */
export const processesEnd: Invariant = {
  name: "processes end whole or taken back",
  check: (view) => {
    const rows = new Map(
      view.rows("SELECT * FROM processes").map((row) => [String(row["id"]), row]),
    );
    return [
      ...view.ledger.processes
        .filter((id) => !rows.has(id))
        .map((id) => `${id} was accepted and is not there`),
      ...[...rows.values()].flatMap((row) => processFaults(view, row)),
    ];
  },
};

function processFaults(view: View, row: Row): string[] {
  const id = String(row["id"]);
  const [, symbol = ""] = id.split("|");
  const state = String(row["state"]);
  const definition = definitionOf(String(row["kind"]) as ProcessKind);
  const steps = listOf(row["steps"]);
  const deeds = listOf(row["deeds"]).map(String);
  const faults =
    new Set(deeds).size < deeds.length ? [`${id} notes an effect twice: ${deeds.join(", ")}`] : [];
  const audits = (action: string) =>
    view.rows("SELECT id FROM audit_log WHERE action = ? AND subject = ?", action, id).length;
  const ended = audits(`process.${state}`);
  switch (state) {
    case "completed": {
      if (ended !== 1) faults.push(`${id} is completed and has ${ended} audit rows of it`);
      const undone = steps.filter((step) => step["state"] !== "done");
      if (undone.length > 0)
        faults.push(`${id} is completed and a step is ${String(undone[0]?.["state"])}`);
      if (view.rows("SELECT symbol FROM assets WHERE symbol = ?", symbol).length === 0)
        faults.push(`${id} is completed and there is no asset ${symbol}`);
      return faults;
    }
    case "compensated": {
      if (ended !== 1) faults.push(`${id} is compensated and has ${ended} audit rows of it`);
      const left = steps.filter(
        (step, at) =>
          (definition.steps[at]?.compensation ?? null) !== null &&
          !["pending", "compensated"].includes(String(step["state"])),
      );
      if (left.length > 0)
        faults.push(`${id} is compensated and a step is ${String(left[0]?.["state"])}`);
      return faults;
    }
    case "stuck":
      return view.system.poisoned().has(symbol) ? faults : [...faults, `${id} is stuck`];
    default:
      return [...faults, `${id} is ${state}`];
  }
}
