import type { RegisterCommand } from "../../domain/asset/commands.ts";
import { type Decision, decideRegister } from "../../domain/asset/decide.ts";
import type { AssetFact } from "../../domain/events/catalogue.ts";
import type { NewEvent } from "../../domain/events/envelope.ts";
import type { Problem } from "../../domain/outcome.ts";
import type { EventLog, Stamp } from "../event-log.ts";

/** What the asset is, as last registered. */
export class AssetRecord {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  fact(): AssetFact | null {
    const row = this.#sql.exec<{ fact: string }>("SELECT fact FROM asset").toArray()[0];
    return row === undefined ? null : (JSON.parse(row.fact) as AssetFact);
  }

  required(): AssetFact {
    const fact = this.fact();
    if (fact === null) {
      throw new CommandRefused({
        code: "asset.unknown",
        detail: "the asset has not been registered",
      });
    }
    return fact;
  }

  /**
   * Tells what the asset is when that is not what the command was made from; then nothing is
   * written.
   */
  write(log: EventLog, command: RegisterCommand, stamp: Stamp): AssetFact | null {
    const fact = this.fact();
    const decision = decideRegister({ fact }, command);
    if (decision.kind === "refused" && fact !== null) return fact;
    const events = acceptedOrThrow(decision);
    if (events.length === 0) return null;
    this.#sql.exec(
      "INSERT OR REPLACE INTO asset (id, fact) VALUES (1, ?)",
      JSON.stringify(command.fact),
    );
    log.append(events, command.cause, stamp);
    return null;
  }
}

/** A refusal on its way out of the object; thrown, so that the transaction leaves nothing. */
class CommandRefused extends Error {
  override readonly name = "CommandRefused";
  readonly code: string;

  constructor({ code, detail }: Problem) {
    super(detail);
    this.code = code;
  }
}

export function acceptedOrThrow(decision: Decision): readonly NewEvent[] {
  if (decision.kind === "refused") throw new CommandRefused(decision.error);
  return decision.events;
}
