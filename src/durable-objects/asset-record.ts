import type { RegisterCommand } from "../domain/asset/commands.ts";
import type { AssetFact } from "../domain/events/catalogue.ts";
import type { EventLog, Stamp } from "./event-log.ts";

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
    if (fact === null) throw new AssetUnknown("the asset has not been registered");
    return fact;
  }

  write(log: EventLog, command: RegisterCommand, stamp: Stamp): void {
    const before = this.fact();
    const text = JSON.stringify(command.fact);
    if (before !== null && JSON.stringify(before) === text) return;
    this.#sql.exec("INSERT OR REPLACE INTO asset (id, fact) VALUES (1, ?)", text);
    const eventType = before === null ? "AssetRegistered" : "AssetUpdated";
    log.append([{ eventType, payload: command.fact }], command.cause, stamp);
  }
}

export class AssetUnknown extends Error {
  override readonly name = "AssetUnknown";
  readonly code = "asset_unknown";
}
