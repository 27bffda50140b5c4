import type { Resolution } from "../../domain/market/resolution.ts";
import type { OptimizationRequest } from "../../domain/portfolio/request.ts";
import type { Reader } from "../../reader.ts";
import { asRead } from "../conditional-write.ts";

export interface Portfolio {
  readonly id: string;
  readonly name: string;
  readonly symbols: readonly string[];
  readonly resolution: Resolution;
  /** What an optimisation that nobody described is asked, as on a schedule. */
  readonly optimization: OptimizationRequest;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly archivedAt: number | null;
}

interface PortfolioRow {
  id: string;
  name: string;
  symbols: string;
  resolution: string;
  optimization: string;
  created_at: number;
  updated_at: number;
  archived_at: number | null;
}

const toPortfolio = (row: PortfolioRow): Portfolio => ({
  id: row.id,
  name: row.name,
  symbols: JSON.parse(row.symbols) as string[],
  resolution: row.resolution as Resolution,
  optimization: JSON.parse(row.optimization) as OptimizationRequest,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  archivedAt: row.archived_at,
});

/** A new portfolio; one that is there already stays as it is. */
export const createPortfolio = (db: D1Database, portfolio: Portfolio): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO portfolios (id, name, symbols, resolution, optimization, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
    )
    .bind(
      portfolio.id,
      portfolio.name,
      JSON.stringify(portfolio.symbols),
      portfolio.resolution,
      JSON.stringify(portfolio.optimization),
      portfolio.createdAt,
      portfolio.updatedAt,
    );

/**
 * Changes a portfolio that nobody has changed or archived since it was read at `before`; else it
 * changes nothing.
 */
export const writePortfolio = (
  db: D1Database,
  before: Pick<Portfolio, "updatedAt">,
  portfolio: Portfolio,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE portfolios SET name = ?2, symbols = ?3, resolution = ?4, optimization = ?5, updated_at = ?6
       WHERE id = ?1 AND updated_at = ?7 AND archived_at IS NULL`,
    )
    .bind(
      portfolio.id,
      portfolio.name,
      JSON.stringify(portfolio.symbols),
      portfolio.resolution,
      JSON.stringify(portfolio.optimization),
      portfolio.updatedAt,
      before.updatedAt,
    );

/** Of the JSON rows in `?1`, those whose `subject` is a portfolio that stands as it was read. */
export const stillAsRead = (before: Pick<Portfolio, "updatedAt">): string =>
  asRead("portfolios", before, "AND t.archived_at IS NULL");

/** Archives a portfolio as it was read; one that has changed since stays as it is. */
export const archivePortfolio = (
  db: D1Database,
  { id, updatedAt }: Pick<Portfolio, "id" | "updatedAt">,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `UPDATE portfolios SET archived_at = ?2, updated_at = max(?2, updated_at + 1)
       WHERE id = ?1 AND updated_at = ?3 AND archived_at IS NULL`,
    )
    .bind(id, now, updatedAt);

/** Archived ones too. */
export async function findPortfolio(db: Reader, id: string): Promise<Portfolio | null> {
  const row = await db
    .prepare("SELECT * FROM portfolios WHERE id = ?")
    .bind(id)
    .first<PortfolioRow>();
  return row === null ? null : toPortfolio(row);
}

/**
 * Portfolios after an id in the order of their ids, which is that of their making; archived ones
 * are left out.
 */
export async function listPortfolios(
  db: Reader,
  after: string,
  limit: number,
): Promise<Portfolio[]> {
  const { results } = await db
    .prepare("SELECT * FROM portfolios WHERE id > ? AND archived_at IS NULL ORDER BY id LIMIT ?")
    .bind(after, limit)
    .all<PortfolioRow>();
  return results.map(toPortfolio);
}
