import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { Broker } from "../kit/broker.ts";
import { rows, stopClock } from "../kit/market.ts";
import { damage, finish, grow } from "../kit/reconciled-asset.ts";

let broker: Broker;
beforeAll(async () => {
  stopClock();
  broker = new Broker();
  await grow(broker, "ASKED", 3);
});

const PATH = "/api/v1/backoffice/reconciliations";

const call = async (method: string, path: string, body?: unknown) => {
  const answer = await exports.default.fetch(
    new Request(`http://127.0.0.1${path}`, {
      method,
      headers: {
        authorization: "Bearer test-admin-key-0123456789",
        "content-type": "application/json",
      },
      body: body === undefined ? null : JSON.stringify(body),
    }),
  );
  return {
    status: answer.status,
    location: answer.headers.get("location"),
    body: (await answer.json()) as never,
  };
};

describe("a reconciliation on demand", () => {
  it("is accepted, audited, carried out, and shown with what it found", async () => {
    await damage("UPDATE bars SET close = 1 WHERE symbol = 'ASKED'");
    await damage("DELETE FROM recommendations WHERE symbol = 'ASKED'");
    const posted = await call("POST", PATH, {
      depth: "deep",
      symbols: ["ASKED", "ASKED"],
      repair: true,
    });
    expect(posted.status).toBe(202);
    const { id } = posted.body as { id: string };
    expect(posted.location).toBe(`${PATH}/${id}`);
    expect(posted.body).toMatchObject({
      state: "queued",
      trigger: "manual",
      actor: "admin",
      symbols: ["ASKED"],
    });
    expect(await rows("SELECT actor, action FROM audit_log WHERE subject = ?", id)).toEqual([
      { actor: "admin", action: "reconciliation.start" },
    ]);
    await finish(broker, id);
    const first = await call("GET", `${PATH}/${id}?limit=1`);
    const page = first.body as { divergences: { items: unknown[]; nextCursor: string } };
    expect(page).toMatchObject({
      state: "done",
      diverged: 2,
      repaired: 2,
      unrepaired: 0,
      verified: 1,
    });
    expect(page.divergences.items).toHaveLength(1);
    const second = await call("GET", `${PATH}/${id}?limit=1&cursor=${page.divergences.nextCursor}`);
    expect(second.body).toMatchObject({
      divergences: {
        items: [{ stream: "asset/ASKED", proven: true, action: "reset" }],
        nextCursor: null,
      },
    });
    const list = await call("GET", `${PATH}?limit=1`);
    expect(list.body).toMatchObject({ items: [{ id, checked: 1 }] });
  });

  it.for([
    [{ depth: "shallow" }, 422],
    [{ symbols: [] }, 422],
    [{ symbols: ["NOBODY"] }, 422],
    [{ symbols: Array.from({ length: 101 }, () => "ASKED") }, 422],
    [{ repair: "yes" }, 422],
    [{ other: 1 }, 422],
  ] as const)("is refused with a reason for %j", async ([body, status]) => {
    const answer = await call("POST", PATH, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ code: "validation_failed" });
    expect((answer.body as { errors: unknown[] }).errors.length).toBeGreaterThan(0);
  });

  it("that does not exist is not found", async () => {
    expect((await call("GET", `${PATH}/nothing`)).status).toBe(404);
    expect((await call("GET", `${PATH}?cursor=nothing`)).status).toBe(400);
  });
});
