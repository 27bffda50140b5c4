import {
  type ActionColumns,
  type CorporateAction,
  fromColumns,
} from "../../domain/asset/corporate-action.ts";

type ActionRow = ActionColumns & { readonly [column: string]: SqlStorageValue };

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
        `SELECT ex_date AS exDate, type, amount, numerator, denominator FROM corporate_actions
         WHERE ex_date BETWEEN ? AND ? ORDER BY ex_date`,
        from,
        to,
      )
      .toArray()
      .map(fromColumns);
  }

  /** Splits and what else happened on their days, oldest first; of more than `limit` the newest. */
  onSplitDays(limit: number): CorporateAction[] {
    return this.#sql
      .exec<ActionRow>(
        `SELECT ex_date AS exDate, type, amount, numerator, denominator FROM corporate_actions
         WHERE ex_date IN (SELECT ex_date FROM corporate_actions WHERE type = 'split')
         ORDER BY ex_date DESC LIMIT ?`,
        limit,
      )
      .toArray()
      .map(fromColumns)
      .reverse();
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
