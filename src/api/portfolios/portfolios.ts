import * as z from "zod";
import { portfolioSubject } from "../../domain/job/job.ts";
import { DEFAULT_REQUEST } from "../../domain/portfolio/request.ts";
import type { Reader } from "../../reader.ts";
import {
  archivePortfolio,
  createPortfolio,
  findPortfolio,
  listPortfolios,
  type Portfolio,
  stillAsRead,
  writePortfolio,
} from "../../records/analysis/portfolio-records.ts";
import { loadAssets } from "../../records/assets/asset-records.ts";
import { stopWithPortfolio } from "../../records/jobs/schedule-stops.ts";
import { closeDeadLettersOf } from "../backoffice/orphaned-dead-letters.ts";
import { auditRow } from "../http/audit-row.ts";
import { laterThan, refuseStale, tagged, unraced } from "../http/conditional-writes.ts";
import { ApiProblem } from "../http/problem.ts";
import {
  jsonBody,
  listLimit,
  listOf,
  operation,
  page,
  readCursor,
  router,
} from "../http/schemas.ts";
import {
  newPortfolio,
  portfolioPatch,
  portfolioView,
  requestOf,
  showPortfolio,
} from "./portfolio-schemas.ts";

export const portfolioParams = z.object({ id: z.string().min(1).max(100) });

export const portfolios = router();
const tag = "Portfolios";

/** The portfolio, or 404; one that was deleted is none. */
export async function requirePortfolio(db: Reader, id: string): Promise<Portfolio> {
  const portfolio = await findPortfolio(db, id);
  if (portfolio === null || portfolio.archivedAt !== null) {
    throw new ApiProblem("not_found", `There is no portfolio ${id}.`);
  }
  return portfolio;
}

/** Refuses symbols that nobody watches, each by its place. */
export async function requireAssets(db: D1Database, symbols: readonly string[]): Promise<void> {
  const watched = (await loadAssets(db, symbols)).filter(({ archivedAt }) => archivedAt === null);
  const known = new Set(watched.map(({ symbol }) => symbol));
  const errors = symbols.flatMap((symbol, index) =>
    known.has(symbol)
      ? []
      : [{ field: `symbols.${index}`, reason: `there is no asset ${symbol}`, value: symbol }],
  );
  if (errors.length === 0) return;
  const names = errors.map(({ value }) => value).slice(0, 5);
  throw new ApiProblem("validation_failed", `No such asset: ${names.join(", ")}.`, errors);
}

portfolios.openapi(
  operation(
    {
      method: "get",
      path: "/portfolios",
      scope: "portfolios:read",
      summary: "Portfolios, oldest first",
      tag,
    },
    { query: z.object({ limit: listLimit, cursor: z.string().optional() }) },
    200,
    listOf(portfolioView),
  ),
  async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor(cursor, z.tuple([z.string()]))?.[0] ?? "";
    const rows = await listPortfolios(c.get("reads"), after, limit + 1);
    return c.json(
      page(rows, limit, ({ id }) => [id], showPortfolio),
      200,
    );
  },
);

portfolios.openapi(
  operation(
    {
      method: "post",
      path: "/portfolios",
      scope: "portfolios:write",
      summary: "Make a portfolio",
      tag,
    },
    jsonBody(newPortfolio),
    201,
    portfolioView,
  ),
  async (c) => {
    const { optimization, ...body } = c.req.valid("json");
    const { api, DB } = c.env;
    await requireAssets(DB, body.symbols);
    const now = api.now();
    const portfolio: Portfolio = {
      ...body,
      optimization:
        optimization === undefined
          ? DEFAULT_REQUEST
          : requestOf(optimization, body.symbols, "optimization."),
      id: api.newId(),
      createdAt: now,
      updatedAt: now,
      archivedAt: null,
    };
    await DB.batch([
      createPortfolio(DB, portfolio),
      auditRow(c.env, c.get("caller").id, "portfolio.create", portfolio.id),
    ]);
    return c.json(showPortfolio(await requirePortfolio(DB, portfolio.id)), 201, {
      location: `/api/v1/portfolios/${portfolio.id}`,
    });
  },
);

portfolios.openapi(
  operation(
    {
      method: "get",
      path: "/portfolios/{id}",
      scope: "portfolios:read",
      summary: "One portfolio",
      tag,
    },
    { params: portfolioParams },
    200,
    portfolioView,
  ),
  async (c) => {
    const portfolio = await requirePortfolio(c.get("reads"), c.req.valid("param").id);
    const shown = showPortfolio(portfolio);
    return c.json(shown, 200, await tagged(c, portfolio.updatedAt, shown));
  },
);

portfolios.openapi(
  operation(
    {
      method: "patch",
      path: "/portfolios/{id}",
      scope: "portfolios:write",
      summary:
        "Change a portfolio; optimisations that were ordered keep what they were ordered with",
      tag,
      ifMatch: true,
    },
    { params: portfolioParams, ...jsonBody(portfolioPatch) },
    200,
    portfolioView,
  ),
  async (c) => {
    const { api, DB } = c.env;
    const { name, symbols: requested, resolution, optimization } = c.req.valid("json");
    if (requested !== undefined) await requireAssets(DB, requested);
    const portfolio = await unraced("The portfolio", async () => {
      const before = await requirePortfolio(DB, c.req.valid("param").id);
      refuseStale(c, before.updatedAt);
      const symbols = requested ?? before.symbols;
      const after: Portfolio = {
        ...before,
        name: name ?? before.name,
        symbols,
        resolution: resolution ?? before.resolution,
        optimization:
          optimization === undefined
            ? stillFitting(before, symbols)
            : requestOf(optimization, symbols, "optimization."),
        updatedAt: laterThan(before, api.now()),
      };
      const [, written] = await DB.batch([
        auditRow(
          c.env,
          c.get("caller").id,
          "portfolio.update",
          after.id,
          null,
          stillAsRead(before),
        ),
        writePortfolio(DB, before, after),
      ]);
      return (written?.meta.changes ?? 0) > 0 ? after : null;
    });
    const shown = showPortfolio(portfolio);
    return c.json(shown, 200, await tagged(c, portfolio.updatedAt, shown));
  },
);

/** A request that was made for other assets may name one that is gone. */
function stillFitting({ optimization }: Portfolio, symbols: readonly string[]) {
  const { from, to, target, currentWeights, amount, groups, bounds, ...plain } = optimization;
  return requestOf(
    {
      ...plain,
      bounds: { min: bounds.min, max: bounds.max, assets: { ...bounds.assets } },
      groups: groups.map((group) => ({ ...group, symbols: [...group.symbols] })),
      from: from ?? undefined,
      to: to ?? undefined,
      target: target ?? undefined,
      currentWeights: currentWeights === null ? undefined : { ...currentWeights },
      amount: amount ?? undefined,
    },
    symbols,
    "optimization.",
  );
}

portfolios.openapi(
  operation(
    {
      method: "delete",
      path: "/portfolios/{id}",
      scope: "portfolios:write",
      summary: "Delete a portfolio; its optimisations stay readable",
      tag,
      ifMatch: true,
    },
    { params: portfolioParams },
    204,
    null,
  ),
  async (c) => {
    const { api, DB } = c.env;
    await unraced("The portfolio", async () => {
      const before = await requirePortfolio(DB, c.req.valid("param").id);
      const { id } = before;
      refuseStale(c, before.updatedAt);
      // First the letters: whoever asks again after this was cut short still finds the portfolio.
      await closeDeadLettersOf(c, portfolioSubject(id), "the portfolio was deleted");
      const [, archived] = await DB.batch([
        auditRow(c.env, c.get("caller").id, "portfolio.delete", id, null, stillAsRead(before)),
        archivePortfolio(DB, before, api.now()),
        stopWithPortfolio(DB, id, api.now()),
      ]);
      return (archived?.meta.changes ?? 0) > 0 ? id : null;
    });
    return c.body(null, 204);
  },
);
