import { setTimeout as sleep } from "node:timers/promises";

/** Fires the cron trigger again and again, as Cloudflare does once a minute. */
export function tickEvery(origin: string, ms: number): AbortController {
  const ticking = new AbortController();
  const { signal } = ticking;
  void (async () => {
    while (!signal.aborted) {
      const url = `${origin}/cdn-cgi/handler/scheduled?cron=*+*+*+*+*&time=${Date.now()}`;
      // The power may also go while the answer is read.
      await fetch(url, { signal })
        .then((answer) => answer.text())
        .catch(() => undefined);
      await sleep(ms);
    }
  })();
  return ticking;
}
