import type { Notification } from "../domain/alert/alert.ts";
import { callWebhook } from "./webhook.ts";

/** Result of sending a notification: taken, or to be sent again later. */
type Notified = { readonly taken: true } | { readonly taken: false; readonly why: string };

/**
 * A way to reach people. It never throws; the same notification may come twice, under the same id.
 */
export interface Notifier {
  readonly name: string;
  notify(notification: Notification): Promise<Notified>;
}

/** One line in the log, which every installation has. */
export const logNotifier = (log: (entry: Readonly<Record<string, unknown>>) => void): Notifier => ({
  name: "log",
  notify: async (notification) => {
    const level =
      notification.kind === "cleared"
        ? "info"
        : notification.severity === "critical"
          ? "error"
          : "warn";
    log({ level, message: `alert ${notification.kind}`, alert: notification });
    return { taken: true };
  },
});

export interface AlertReceiver {
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
  readonly now: () => number;
}

/**
 * A signed POST by Standard Webhooks; `webhook-id` is the notification's id. Returns the raw
 * response.
 */
export const postNotification = ({ url, secret, now }: AlertReceiver, notification: Notification) =>
  callWebhook(
    {
      url,
      secret,
      id: notification.id,
      body: JSON.stringify(notification),
      traceparent: null,
      tracestate: null,
      contentType: "application/json",
    },
    now(),
  );
