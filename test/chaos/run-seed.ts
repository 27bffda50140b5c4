import { ownJudgement } from "./invariants/own-judgement.ts";
import { redrivenForever, waitingInVain } from "./invariants/sequence.ts";
import { checkAtRest, type Violation } from "./judge.ts";
import { type Fault, Swarm } from "./platform/faults.ts";
import { Random } from "./platform/random.ts";
import type { ShippedWorker } from "./platform/system.ts";
import { World } from "./platform/world.ts";
import { MINUTE, Run, START } from "./run.ts";
import { Ledger } from "./workload/ledger.ts";
import { calmDown } from "./workload/operations.ts";
import { handleDeadLetters, openDeadLetters, stuckProcesses } from "./workload/operator.ts";
import { chooseAssets, runProgram } from "./workload/program.ts";

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly faults: ReadonlyMap<Fault, number>;
  readonly steps: number;
  /** Differs if anything at all happened otherwise. */
  readonly hash: string;
  readonly tail: readonly string[];
}

/**
 * One run: random programs of clients against the shipped Worker, under random faults, then peace,
 * then judgement.
 */
export async function runSeed(
  worker: ShippedWorker,
  seed: number,
  verbose: ((line: string) => void) | null = null,
): Promise<SeedResult> {
  const swarm = new Swarm(new Random(seed, "faults"));
  const choice = new Random(seed, "run");
  const world = new World(seed, swarm, START, choice.pick([0, 0.3, 0.9]), verbose);
  const run = new Run(world, worker, {
    DEMO: choice.chance(0.75) ? "on" : "off",
    REPLAY_SPEED: String(choice.pick([4320, 8640, 17280])),
    WEBHOOK_RETRY_SECONDS: "5,30,120,300",
  });
  const ledger = new Ledger(chooseAssets(choice));
  await run.perform(async () => {
    run.startCron();
    for (let at = choice.between(1, 3); at > 0; at--)
      run.start(`client ${at}`, (client) => runProgram(client, ledger, choice.between(4, 14)));
    const calm = world.now + choice.between(3, 12) * MINUTE;
    await run.runUntil(() => world.now >= calm);
    world.trace("the faults stop");
    swarm.on = false;
    await run.settleClients();
    run.start("operator", (client) => calmDown(client, ledger));
    await run.settle();
    await handleAllDeadLetters(run);
    if (run.violations.length === 0) run.violations.push(...checkAtRest(run.system, ledger));
    if (run.violations.length === 0 && choice.chance(0.25)) await ownJudgement(run);
  });
  const { violations } = run;
  return {
    seed,
    violations,
    faults: swarm.counts,
    steps: world.scheduler.steps,
    hash: world.hash,
    tail: world.tail,
  };
}

/**
 * Work that is still stuck is discarded in the third round; its consequences are handled in the
 * rounds after it.
 */
const MAX_ROUNDS = 12;

/**
 * Parked assets wait for a person. Before one comes, nothing may wait in vain; after that, nothing
 * may wait at all.
 */
async function handleAllDeadLetters(run: Run): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS && run.violations.length === 0; round++) {
    for (const what of [...waitingInVain(run.system), ...redrivenForever(run.system)])
      run.violations.push({ invariant: "blocked jobs are behind a dead letter", what });
    if (openDeadLetters(run.system).length + stuckProcesses(run.system).length === 0) return;
    run.start(`operator of dead letters ${round}`, (client) => handleDeadLetters(client, round));
    await run.settle();
  }
}
