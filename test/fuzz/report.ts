import type { Shot } from "./requests.ts";

/** What one route was asked and answered. */
interface Tally {
  asked: number;
  readonly statuses: Map<number, number>;
  slowestMs: number;
}

export interface Fault {
  readonly what: string;
  readonly shot: Shot;
  readonly curl: string;
  readonly answer: string;
}

export interface Slow {
  readonly ms: number;
  readonly shot: Shot;
  readonly status: number;
}

const MAX_SLOW = 10;
/** Whoever waits longer than this thinks that nobody is there. */
const SLOW_MS = 5_000;

/** What a run came to. */
export class FuzzReport {
  readonly statuses = new Map<number, number>();
  readonly faults: Fault[] = [];
  /** The slowest answers, the slowest first. */
  readonly slowest: Slow[] = [];
  /** How many took more than five seconds. */
  slow = 0;
  private readonly routes = new Map<string, Tally>();

  constructor(routes: readonly string[]) {
    for (const route of routes)
      this.routes.set(route, { asked: 0, statuses: new Map(), slowestMs: 0 });
  }

  get requests(): number {
    return [...this.statuses.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Routes that never did what they are for. */
  get unreached(): string[] {
    return [...this.routes]
      .filter(([, { statuses }]) => ![...statuses.keys()].some((status) => status < 400))
      .map(([route]) => route);
  }

  count(shot: Shot, status: number, ms: number): void {
    add(this.statuses, status);
    if (ms > SLOW_MS) this.slow += 1;
    const tally = this.routes.get(shot.route);
    if (tally !== undefined) {
      tally.asked += 1;
      tally.slowestMs = Math.max(tally.slowestMs, ms);
      // Another method at the same path says nothing about this one.
      if (shot.route.startsWith(`${shot.method} `)) add(tally.statuses, status);
    }
    this.slowest.push({ ms, shot, status });
    this.slowest.sort((one, other) => other.ms - one.ms);
    this.slowest.length = Math.min(this.slowest.length, MAX_SLOW);
  }

  lines(): string[] {
    const shown = (statuses: ReadonlyMap<number, number>) =>
      [...statuses]
        .sort(([one], [other]) => one - other)
        .map(([status, count]) => `${status}×${count}`)
        .join(" ");
    const width = Math.max(...[...this.routes.keys()].map((route) => route.length));
    return [
      ...[...this.routes].map(
        ([route, { asked, statuses, slowestMs }]) =>
          `${route.padEnd(width)} ${String(asked).padStart(6)}  ${`${Math.round(slowestMs)} ms`.padStart(8)}  ${shown(statuses)}`,
      ),
      "",
      "slowest:",
      ...this.slowest.map(
        ({ ms, shot, status }) =>
          `${`${Math.round(ms)} ms`.padStart(10)}  ${status}  #${shot.index} ${shot.method} ${shot.path.slice(0, 120)}`,
      ),
      "",
      `statuses: ${shown(this.statuses)}`,
      `routes: ${this.routes.size}, never answered well: ${this.unreached.join(", ") || "none"}`,
    ];
  }
}

function add(counts: Map<number, number>, status: number): void {
  counts.set(status, (counts.get(status) ?? 0) + 1);
}
