/**
 * Replaces the platform's module of this name: base classes, and nothing else that the Worker uses
 * of it.
 */

export class DurableObject {
  protected readonly ctx: unknown;
  protected readonly env: unknown;

  constructor(ctx: unknown, env: unknown) {
    this.ctx = ctx;
    this.env = env;
  }
}

export class WorkerEntrypoint extends DurableObject {}

export class RpcTarget {}
