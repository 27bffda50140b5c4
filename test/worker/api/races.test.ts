import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../kit/api.ts";
import { Broker } from "../kit/broker.ts";
import { enqueueImport, openAsset, rows, stopClock } from "../kit/market.ts";
import { disableByReceiver, PATCH_ROUTES } from "../kit/patch-routes.ts";
import { audits, path as deadLetterPath, fileTestDeadLetters } from "../kit/stored-dead-letters.ts";

const ROUNDS = 12;

beforeAll(() => {
  stopClock();
  new Broker();
});

type Paths = Record<string, Record<string, { parameters?: { name: string }[] }>>;
const documented = async (): Promise<Paths> => {
  const answer = await exports.default.fetch("http://127.0.0.1/api/openapi.json");
  return ((await answer.json()) as { paths: Paths }).paths;
};

const racing = Object.entries(PATCH_ROUTES).filter(
  ([path]) => path !== "/backoffice/dead-letters/{id}",
);
let made = 0;
const rounds = Array.from({ length: ROUNDS }, (_, n) => n);
const idOf = (path: string) => path.split("/").at(-1) ?? "";

describe("routes that change something", () => {
  it("are all raced below", async () => {
    const patched = Object.entries(await documented()).flatMap(([path, { patch }]) =>
      patch ? [path] : [],
    );
    expect(patched.sort()).toEqual(Object.keys(PATCH_ROUTES).sort());
  });

  it("all compare If-Match when they change or delete what has an ETag", async () => {
    const blind = Object.entries(await documented()).flatMap(([path, item]) =>
      (["patch", "delete", "put"] as const).flatMap((method) => {
        const compares = item[method]?.parameters?.some(({ name }) => name === "If-Match");
        return item[method] !== undefined && item["get"] !== undefined && compares !== true
          ? [`${method} ${path}`]
          : [];
      }),
    );
    expect(blind).toEqual([]);
  });
});

describe.each(racing)("%s", (_, { make, one, other, actions = [] }) => {
  it("loses neither of two changes made at once", async () => {
    for (const round of rounds) {
      const path = await make(made++);
      const answers = await Promise.all([api("PATCH", path, one), api("PATCH", path, other)]);
      expect(
        answers.map(({ status }) => status),
        `round ${round}`,
      ).toEqual([200, 200]);
      expect((await api("GET", path)).body, `round ${round}`).toMatchObject({ ...one, ...other });
    }
  });

  it("is not brought back by a change when it was deleted meanwhile", async () => {
    for (const round of rounds) {
      const path = await make(made++);
      const wishes = [() => api("PATCH", path, one), () => api("DELETE", path)];
      if (round % 2 === 0) wishes.reverse();
      const answers = await Promise.all(wishes.map((wish) => wish()));
      const [patched, deleted] = round % 2 === 0 ? [answers[1], answers[0]] : answers;
      expect(deleted?.status, `round ${round}`).toBe(204);
      expect([200, 404], `round ${round}`).toContain(patched?.status);
      expect((await api("GET", path)).status, `round ${round}`).toBe(404);
      const done = (await audits(idOf(path))).filter(({ outcome }) => outcome === "done");
      const update = done.filter(({ action }) => action.endsWith(".update")).length;
      expect(update, `round ${round}`).toBe(patched?.status === 200 ? 1 : 0);
    }
  });

  it("is deleted once by two who delete it at once", async () => {
    const path = await make(made++);
    const answers = await Promise.all([api("DELETE", path), api("DELETE", path)]);
    const statuses = answers.map(({ status }) => status).sort();
    // Two who tell an asset's object the same are both right.
    expect(
      [
        [204, 404],
        [204, 204],
      ].slice(0, path.startsWith("/assets/") ? 2 : 1),
    ).toContainEqual(statuses);
  });

  it("takes a dozen changes at once, each whole", async () => {
    const path = await make(made++);
    const answers = await Promise.all(
      rounds.map((n) => api("PATCH", path, n % 2 === 0 ? one : other)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await api("GET", path)).body).toMatchObject({ ...one, ...other });
  });

  it("honours If-Match, and changes nothing when it is refused", async () => {
    const path = await make(made++);
    const first = (await api("GET", path)).headers.get("etag") ?? "";
    expect(first).toMatch(/^"\d+-[0-9a-f]{16}"$/);
    const changed = await api("PATCH", path, one, { "if-match": first });
    expect(changed.status).toBe(200);
    const second = changed.headers.get("etag") ?? "";
    const now = await api("GET", path);
    expect([now.headers.get("etag"), second === first]).toEqual([second, false]);
    for (const stale of [first, '"0-0"', '"nonsense"', "nonsense", `"1", ${first}`]) {
      for (const [method, body] of [
        ["PATCH", other],
        ["DELETE", undefined],
      ] as const) {
        const refused = await api(method, path, body, { "if-match": stale });
        expect([refused.status, refused.body["code"]], `${method} ${stale}`).toEqual([
          412,
          "precondition_failed",
        ]);
        expect(refused.headers.get("content-type")).toBe("application/problem+json");
      }
    }
    expect((await api("GET", path)).body).toEqual(now.body);
    for (const spelled of [
      () => "*",
      (etag: string) => `"7-0", ${etag}`,
      (etag: string) => `W/${etag}`,
    ]) {
      const etag = (await api("GET", path)).headers.get("etag") ?? "";
      const kept = await exports.default.fetch(`http://127.0.0.1/api/v1${path}`, {
        headers: { authorization: `Bearer ${env.ADMIN_API_KEY}`, "if-none-match": etag },
      });
      expect(kept.status).toBe(304);
      expect((await api("PATCH", path, one, { "if-match": spelled(etag) })).status).toBe(200);
    }
    const last = (await api("GET", path)).headers.get("etag") ?? "";
    expect((await api("DELETE", path, undefined, { "if-match": last })).status).toBe(204);
  });

  it("lets one of two through who both name the version they read", async () => {
    for (const round of rounds) {
      const path = await make(made++);
      const etag = { "if-match": (await api("GET", path)).headers.get("etag") ?? "" };
      const answers = await Promise.all([
        api("PATCH", path, one, etag),
        api("PATCH", path, other, etag),
      ]);
      expect(answers.map(({ status }) => status).sort(), `round ${round}`).toEqual([200, 412]);
    }
  });

  it.each(actions)("loses neither a change nor $name made at once", async ({ name, leaves }) => {
    for (const round of rounds) {
      const path = await make(made++);
      const answers = await Promise.all([
        api("PATCH", path, other),
        api("POST", `${path}/${name}`),
        api("PATCH", path, one),
      ]);
      expect(
        answers.map(({ status }) => status),
        `round ${round}`,
      ).toEqual([200, 200, 200]);
      expect((await api("GET", path)).body, `round ${round}`).toMatchObject({
        ...one,
        ...other,
        ...leaves,
      });
    }
  });
});

describe("an asset", () => {
  it("is after a race what its log says it is", async () => {
    for (const round of rounds) {
      const symbol = `TOLD-${round}`;
      await openAsset(symbol);
      await Promise.all([
        api("PATCH", `/assets/${symbol}`, { currency: "EUR" }),
        api("PATCH", `/assets/${symbol}`, { calendar: "XLON" }),
        api("PATCH", `/assets/${symbol}`, { currency: "GBP" }),
        ...(round % 2 === 0 ? [api("DELETE", `/assets/${symbol}`)] : []),
      ]);
      const { events } = await env.ASSET_OBJECTS.getByName(symbol).readEvents(symbol, 0, 100);
      const [row] = await rows<Record<string, unknown>>(
        "SELECT * FROM assets WHERE symbol = ?",
        symbol,
      );
      expect(events.at(-1)?.payload, `round ${round}`).toMatchObject({
        currency: row?.["currency"],
        calendar: row?.["calendar"],
        archived: row?.["archived_at"] !== null,
      });
      expect(row?.["version"]).toBe(events.length);
    }
  });

  it("that two register at once as different things is what one of them said, and the other hears so", async () => {
    for (const round of rounds) {
      const symbol = `TWICE-${round}`;
      const wish = (currency: string) => ({ symbol, type: "STOCK", currency, source: "import" });
      const answers = await Promise.all(
        ["USD", "EUR"].map((one) => api("POST", "/assets", wish(one))),
      );
      expect(answers.map(({ status }) => status).sort(), `round ${round}`).toEqual([201, 409]);
      const winner = answers.find(({ status }) => status === 201);
      expect((await api("GET", `/assets/${symbol}`)).body).toEqual(winner?.body);
    }
  });

  it("whose record was left behind by a crash is repaired by the next change", async () => {
    await openAsset("BEHIND");
    const [before] = await rows("SELECT * FROM assets WHERE symbol = 'BEHIND'");
    await api("PATCH", "/assets/BEHIND", { currency: "EUR" });
    await env.DB.prepare(
      "UPDATE assets SET currency = 'USD', version = 0, updated_at = ? WHERE symbol = 'BEHIND'",
    )
      .bind(before?.["updated_at"])
      .run();
    const changed = await api("PATCH", "/assets/BEHIND", { calendar: "XLON" });
    expect([changed.status, changed.body["currency"], changed.body["calendar"]]).toEqual([
      200,
      "EUR",
      "XLON",
    ]);
  });
});

describe("an endpoint", () => {
  it("that its receiver disabled in this moment stays disabled, and keeps what else was changed", async () => {
    for (const round of rounds) {
      const path = (await PATCH_ROUTES["/webhook-endpoints/{id}"]?.make(made++)) ?? "";
      const [patched] = await Promise.all([
        api("PATCH", path, { description: "renamed" }),
        disableByReceiver(idOf(path)),
      ]);
      expect(patched.status).toBe(200);
      expect((await api("GET", path)).body, `round ${round}`).toMatchObject({
        enabled: false,
        description: "renamed",
      });
    }
  });
});

describe("a dead letter", () => {
  const corrupt = async (n: string) => {
    await openAsset(`TORN-${n}`);
    const message = await enqueueImport(`TORN-${n}`, "a", []);
    await fileTestDeadLetters(1, () => ({ id: `torn-${n}`, body: { jobID: message.jobId } }));
    return { id: `torn-${n}`, edit: { body: { ...message } } };
  };

  it("is edited once by two who edit it at once, or edit and discard it", async () => {
    for (const round of rounds) {
      const { id, edit } = await corrupt(`R${round}`);
      const second =
        round % 2 === 0
          ? api("PATCH", deadLetterPath(id), edit)
          : api("POST", deadLetterPath(id, "discard"), { reason: "nobody needs it" });
      const answers = await Promise.all([api("PATCH", deadLetterPath(id), edit), second]);
      expect(answers.map(({ status }) => status).sort(), `round ${round}`).toEqual([200, 409]);
      const made = await rows("SELECT id FROM dead_letters WHERE edited_from = ?", id);
      expect(made).toHaveLength(answers[0].status === 200 || round % 2 === 0 ? 1 : 0);
    }
  });

  it("honours If-Match", async () => {
    const { id, edit } = await corrupt("M");
    const etag = (await api("GET", deadLetterPath(id))).headers.get("etag") ?? "";
    expect((await api("PATCH", deadLetterPath(id), edit, { "if-match": '"1-0"' })).status).toBe(
      412,
    );
    expect((await api("PATCH", deadLetterPath(id), edit, { "if-match": etag })).status).toBe(200);
  });
});

describe("a route without a version to compare", () => {
  it("refuses If-Match instead of passing over it", async () => {
    const wish = { url: "http://127.0.0.1:9/blind", patterns: ["#"] };
    const refused = await api("POST", "/webhook-endpoints", wish, { "if-match": '"1-0"' });
    expect([refused.status, refused.body["code"]]).toEqual([412, "precondition_failed"]);
    expect((await api("POST", "/webhook-endpoints", wish, { "if-match": "*" })).status).toBe(201);
  });
});
