import { logNotifier, type Notifier, postNotification } from "../../delivery/notifier.ts";
import { WEBHOOK_TIMEOUT_MS } from "../../delivery/webhook.ts";
import { ALERTS_SERVICE } from "../../domain/breaker/service.ts";
import { verdictOfPost } from "../../domain/breaker/verdict.ts";
import { behindSince } from "../../read-model/streams.ts";
import { databaseReadings } from "../../records/operations/alert-readings.ts";
import {
  forgetNotified,
  listAlerts,
  UNDECIDED,
  writeAlerts,
} from "../../records/operations/alert-records.ts";
import { writeAudit } from "../../records/operations/audit.ts";
import type { AlertsDeps, Readings } from "../../schedule/alerts.ts";
import type { Platform } from "../platform/platform.ts";
import { queueBacklogs } from "../platform/queues.ts";
import { breakers } from "./breakers.ts";

export function alertsDeps(p: Platform): AlertsDeps {
  const { DB } = p.env;
  const toLog = logNotifier(p.log);
  const toWebhook = webhookNotifier(p);
  return {
    rules: p.config.ALERT_RULES,
    now: p.now,
    newId: p.newId,
    log: p.log,
    load: () => listAlerts(DB, null),
    readings: () => readings(p),
    record: async (changes) => {
      const audit = changes.flatMap(({ rule, readBefore, news }) =>
        news === null
          ? []
          : [
              {
                rule,
                readBefore,
                id: p.newId(),
                at: p.now(),
                actor: "system",
                action: `alert.${news.kind === "still raised" ? "repeated" : news.kind}`,
                subject: rule,
                outcome: news.severity,
                detail: `${news.value} (raised at ${news.raise}, cleared at ${news.clear})`,
              },
            ],
      );
      // The audit first: both look at what the alerts were before.
      const results = await DB.batch([
        ...(audit.length > 0 ? [writeAudit(DB, audit, UNDECIDED)] : []),
        writeAlerts(DB, changes),
      ]);
      // Of two ticks at once the other one has it in its log.
      if ((results.at(-1)?.meta.changes ?? 0) === 0) return;
      for (const { news } of changes) if (news !== null) await toLog.notify(news);
    },
    notify: async (notification) => {
      if (toWebhook === null) return true;
      const answer = await toWebhook.notify(notification);
      if (!answer.taken) p.log({ level: "warn", message: "alert not taken", why: answer.why });
      return answer.taken;
    },
    forget: async (rule, ids) => {
      await forgetNotified(DB, rule, ids).run();
    },
  };
}

/** Every reading on its own: what one cannot tell hides no other. */
async function readings(p: Platform): Promise<Readings> {
  const quietly = async <T>(what: string, read: Promise<T>): Promise<T | null> =>
    read.catch((error: unknown) => {
      p.log({ level: "warn", message: "reading not taken", what, error: String(error) });
      return null;
    });
  const { DB } = p.env;
  const [database, behind, backlogs] = await Promise.all([
    quietly("database", databaseReadings(DB, p.now())),
    quietly(
      "streams",
      behindSince(DB).then((since) => ({ since })),
    ),
    queueBacklogs(p),
  ]);
  const ageOf = (instant: number | null): number =>
    instant === null ? 0 : Math.max(0, (p.now() - instant) / 1000);
  const ages = backlogs.flatMap(({ backlog }) =>
    backlog === null ? [] : [ageOf(backlog.oldestAt)],
  );
  return {
    ...database,
    oldestUnprojectedSeconds: behind === null ? null : ageOf(behind.since),
    oldestMessageSeconds: ages.length === 0 ? null : Math.max(...ages),
  };
}

/** The receiver of alerts, when there is one. More ways of reaching people join here. */
function webhookNotifier(p: Platform): Notifier | null {
  const { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret } = p.config;
  if (url === "" || secret === undefined) return null;
  const guard = breakers(p);
  return {
    name: "webhook",
    notify: async (notification) => {
      const guarded = await guard({
        service: ALERTS_SERVICE,
        subject: notification.rule,
        jobId: null,
        traceparent: null,
        call: () => postNotification({ url, secret, now: p.now }, notification),
        verdictOf: (answer) => verdictOfPost(answer, WEBHOOK_TIMEOUT_MS),
      });
      if (guarded.kind === "open") return { taken: false, why: "its breaker is open" };
      const { status, error } = guarded.result;
      return status !== null && status >= 200 && status < 300
        ? { taken: true }
        : { taken: false, why: error ?? `it answered ${status}` };
    },
  };
}
