import type { Run } from "../run.ts";
import type { Client } from "../workload/client.ts";
import { parsed } from "../workload/replies.ts";

const PATH = "/backoffice/reconciliations";
const MAX_CHECKS = 400;

/**
 * The product's own check: its deep comparison of the read model with every log, at rest, finds no
 * difference and reaches every stream that is not poisoned. A check that never finds anything
 * proves nothing, so `npm run teeth` sees it fail.
 */
export async function ownJudgement(run: Run): Promise<void> {
  run.start("auditor", async (client) => {
    const begun = parsed(await client.ask("POST", PATH, { depth: "deep", repair: false }));
    const verdict = begun === null ? null : await verdictOf(client, String(begun["id"]));
    for (const what of faultsOf(verdict, run.system.poisoned().size))
      run.violations.push({ invariant: "the product's own comparison finds nothing", what });
  });
  await run.settle();
}

async function verdictOf(client: Client, id: string): Promise<Record<string, unknown> | null> {
  for (let looks = 0; looks < MAX_CHECKS; looks++) {
    const found = parsed(await client.ask("GET", `${PATH}/${id}`));
    if (found?.["state"] === "done" || found?.["state"] === "failed") return found;
    await client.sleep(5_000);
  }
  return null;
}

function faultsOf(verdict: Record<string, unknown> | null, poisoned: number): string[] {
  if (verdict === null) return ["it never ends"];
  const { state, diverged, unreachable, checked, divergences } = verdict;
  if (state !== "done") return [`it ended as ${String(state)}: ${String(verdict["error"])}`];
  const faults: string[] = [];
  if (diverged !== 0)
    faults.push(
      `it finds ${String(diverged)} divergences: ${JSON.stringify(divergences).slice(0, 400)}`,
    );
  if (Number(unreachable) > poisoned)
    faults.push(
      `it cannot reach ${String(unreachable)} of ${String(checked)} streams, ${poisoned} are poisoned`,
    );
  return faults;
}
