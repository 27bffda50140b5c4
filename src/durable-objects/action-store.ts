import type { CorporateAction } from "../domain/asset/corporate-action.ts";

interface ActionRow {
  readonly [column: string]: SqlStorageValue;
  readonly ex_date: number;
  readonly type: string;
  readonly amount: number | null;
  readonly numerator: number | null;
  readonly denominator: number | null;
}

/** The dividends and splits of one asset, one row per (ex-date, kind). */
export class ActionStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Actions with an ex-date (epoch ms) from `from` to `to`, both included, oldest first. */
  between(from: number, to: number): CorporateAction[] {
    return this.#sql
      .exec<ActionRow>(
        `SELECT ex_date, type, amount, numerator, denominator FROM corporate_actions
         WHERE ex_date BETWEEN ? AND ? ORDER BY ex_date`,
        from,
        to,
      )
      .toArray()
      .map(toAction);
  }

  write(actions: readonly CorporateAction[], version: number): void {
    if (actions.length === 0) return;
    this.#sql.exec(
      `INSERT OR REPLACE INTO corporate_actions (ex_date, type, amount, numerator, denominator, version)
       SELECT value ->> 'exDate', value ->> 'type', value ->> 'amount', value ->> 'numerator', value ->> 'denominator', ?2
       FROM json_each(?1)`,
      JSON.stringify(actions),
      version,
    );
  }
}

const toAction = ({ ex_date: exDate, type, amount, numerator, denominator }: ActionRow): CorporateAction =>
  type === "dividend"
    ? { type, exDate, amount: amount ?? 0 }
    : { type: "split", exDate, numerator: numerator ?? 1, denominator: denominator ?? 1 };
