/**
 * The system alone in a process of its own, so that it can be killed: workerd with its state on
 * disk, nothing else. Prints `ready <origin>` when it answers.
 */
import { unstable_startWorker } from "wrangler";

const [configPath, stateDir, ...vars] = process.argv.slice(2);
if (configPath === undefined || stateDir === undefined)
  throw new Error("say the configuration and the state folder");

const worker = await unstable_startWorker({
  config: configPath,
  envFiles: [],
  bindings: Object.fromEntries(
    vars.map((text) => {
      const cut = text.indexOf("=");
      return [text.slice(0, cut), { type: "plain_text" as const, value: text.slice(cut + 1) }];
    }),
  ),
  dev: {
    persist: stateDir,
    server: { hostname: "127.0.0.1", port: 0 },
    inspector: false,
    watch: false,
    logLevel: "error",
  },
});
await worker.ready;
console.log(`ready ${(await worker.url).origin}`);
