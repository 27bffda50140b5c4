import type { AnyEvent, EventOf } from "../../../src/domain/events/envelope.ts";
import type { Broker } from "./broker.ts";
import { days, enqueueImport, eventsOf, openAsset, passSeconds } from "./market.ts";
import { close, every10Minutes } from "./schedules.ts";

export const WARM = 250;
export const HORIZON = 20;

/**
 * An asset with a history of 250 days, whose last one carries a recommendation, and `more` days
 * after it.
 */
export async function withRecommendation(broker: Broker, symbol: string, more = 0): Promise<void> {
  await openAsset(symbol);
  broker.put("INGEST_QUEUE", await enqueueImport(symbol, "history", days(WARM)));
  await broker.settle();
  if (more > 0) await addDays(broker, symbol, more);
}

export async function addDays(
  broker: Broker,
  symbol: string,
  count: number,
  from = WARM,
): Promise<void> {
  broker.put("INGEST_QUEUE", await enqueueImport(symbol, `from ${from}`, days(count, from)));
  await broker.settle();
}

/**
 * A slot of a schedule that resolves what is due of one asset, ordered up to its jobs' messages.
 */
export async function slotOf(broker: Broker, symbol: string): Promise<string> {
  await every10Minutes(symbol, { kind: "recommendation", target: { symbol, only: "due" } });
  passSeconds(600);
  const slot = new Date(Date.now()).toISOString();
  await broker.tick();
  await broker.deliverDue("SCHEDULE_QUEUE");
  await close(symbol);
  return slot;
}

type Kind<T extends AnyEvent["eventType"]> = EventOf<T>;

export async function of<T extends AnyEvent["eventType"]>(
  symbol: string,
  type: T,
): Promise<Kind<T>[]> {
  return (await eventsOf(symbol)).filter(
    (event): event is Kind<T> & AnyEvent => event.eventType === type,
  );
}
