import * as z from "zod";
import { MIN_LOOKBACK } from "../../domain/backtest/portfolio-request.ts";
import {
  DEFAULT_BACKTEST,
  MAX_BOOTSTRAPS,
  MAX_BPS,
  MAX_SHUFFLES,
} from "../../domain/backtest/request.ts";
import { RESOLUTIONS } from "../../domain/market/resolution.ts";
import { instantSchema, symbolSchema } from "../http/schemas.ts";
import { choiceFields, symbolsSchema } from "./portfolio-schemas.ts";

const bps = (preset: number, description: string) =>
  z.number().min(0).max(MAX_BPS).default(preset).meta({ description });

const count = (maximum: number, preset: number) =>
  z.number().int().min(0).max(maximum).default(preset);

const shared = {
  from: instantSchema.optional(),
  to: instantSchema.optional(),
  costBps: bps(
    DEFAULT_BACKTEST.costBps,
    "what a trade costs on each side, in basis points of its money",
  ),
  slippageBps: bps(
    DEFAULT_BACKTEST.slippageBps,
    "how much worse than the bar's price each fill is",
  ),
  seed: z.number().int().min(0).max(0xffff_ffff).default(DEFAULT_BACKTEST.seed),
  shuffles: count(MAX_SHUFFLES, DEFAULT_BACKTEST.shuffles),
  bootstraps: count(MAX_BOOTSTRAPS, DEFAULT_BACKTEST.bootstraps),
};

const newRulesBacktest = z
  .strictObject({
    kind: z.literal("rules"),
    symbol: symbolSchema,
    resolution: z.enum(RESOLUTIONS).default("1d"),
    ...shared,
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ["from"],
    message: "lies after to",
  })
  .meta({ id: "NewRulesBacktest" });

const newPortfolioBacktest = z
  .strictObject({
    kind: z.literal("portfolio"),
    portfolioId: z.string().min(1).max(100).optional().meta({
      description: "whose assets and resolution these are, unless symbols are said",
    }),
    symbols: symbolsSchema.optional(),
    resolution: z
      .enum(RESOLUTIONS)
      .optional()
      .meta({ description: "with symbols; 1d unless said" }),
    ...choiceFields,
    lookback: z
      .number()
      .int()
      .min(MIN_LOOKBACK)
      .max(5_000)
      .optional()
      .meta({
        description:
          "returns to learn from, up to the close at which weights are chosen; unless said a year of the resolution, at least 60, or " +
          "half of what the first asset has",
      }),
    rebalanceEvery: z
      .number()
      .int()
      .min(1)
      .max(5_000)
      .optional()
      .meta({
        description:
          "bars until weights are chosen anew; in between they drift. Unless said a month of the resolution: 21 of 1d (30 where every " +
          "day counts), 4 of 1w, 1 of 1mo, of shorter bars what the calendars have in a month; longer where there is no time for that",
      }),
    ...shared,
  })
  .superRefine(({ portfolioId, symbols, resolution }, context) => {
    const wrong = (field: string, message: string) =>
      context.addIssue({ code: "custom", path: [field], message });
    if (portfolioId === undefined && symbols === undefined)
      wrong("symbols", "say symbols or a portfolioId");
    if (portfolioId !== undefined && symbols !== undefined)
      wrong("symbols", "say symbols or a portfolioId, not both");
    if (portfolioId !== undefined && resolution !== undefined)
      wrong("resolution", "the portfolio has a resolution of its own");
  })
  .meta({ id: "NewPortfolioBacktest" });

export const newBacktest = z
  .discriminatedUnion("kind", [newRulesBacktest, newPortfolioBacktest])
  .meta({ id: "NewBacktest" });

export type NewRulesBacktest = z.infer<typeof newRulesBacktest>;
export type NewPortfolioBacktest = z.infer<typeof newPortfolioBacktest>;
