import { request as httpRequest } from "node:http";
import { Secret } from "@helixstack/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newTokenValue, tokenHash } from "../../src/api/index.ts";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";
import { type TestServer, startServer } from "./server.ts";

const CANARY = "canary-api-4d2e91";
const BASE = "/v1/projects/shop/environments/production/secrets";

let postgres: TestPostgres;
let server: TestServer;

beforeAll(async () => {
  postgres = await startPostgres();
  server = await startServer(postgres);
});
afterAll(async () => {
  await server?.close();
  await postgres?.stop();
});

const put = (name: string, value: string, more: object = {}) => server.call("PUT", `${BASE}/${name}`, { body: { value, ...more } });

describe("secrets over the API", () => {
  it("are set, listed by name and version, and destroyed", async () => {
    expect((await put("DB", CANARY)).json).toMatchObject({ name: "DB", version: "1" });
    expect((await put("DB", `${CANARY}-2`)).json).toMatchObject({ version: "2" });
    expect((await server.call("GET", BASE)).json.items).toMatchObject([{ name: "DB", version: "2" }]);
    expect((await server.call("DELETE", `${BASE}/DB`)).status).toBe(204);
    expect((await server.call("DELETE", `${BASE}/DB`)).json).toMatchObject({ code: "SECRET_NOT_FOUND", status: 404 });
  });

  it("are set only where they are as expected", async () => {
    const { json } = await put("CAS", "one-value");
    expect((await put("CAS", "two-value", { expect: json.version })).status).toBe(200);
    expect((await put("CAS", "three", { expect: json.version })).json).toMatchObject({ code: "SECRET_CHANGED", status: 409 });
    expect((await put("CAS", "four", { expect: null })).json).toMatchObject({ code: "SECRET_CHANGED" });
  });

  it("are imported: first what would change, then what did, and what is the same is left alone", async () => {
    await put("SAME", "same-value");
    await put("OLD", "old-value");
    const values = { SAME: "same-value", OLD: "new-value", NEW: "brand-new" };
    const expected = [
      { name: "SAME", action: "same" },
      { name: "OLD", action: "update" },
      { name: "NEW", action: "create" },
    ];
    expect((await server.call("POST", `${BASE}/import`, { body: { values, dryRun: true } })).json.items).toEqual(expected);
    expect((await server.call("POST", `${BASE}/import`, { body: { values } })).json.items).toEqual(expected);
    const { items } = (await server.call("GET", BASE)).json as { items: { name: string; version: string }[] };
    expect(items.find(({ name }) => name === "SAME")!.version).toBe("1");
    expect((await server.call("POST", `${BASE}/import`, { body: { values: { PORT: "1" } } })).json.code).toBe("SECRET_INVALID");
  });

  it("that an import set before it was refused are on record", async () => {
    const refused = await server.call("POST", `${BASE}/import`, { body: { values: { FIRST: "first-value", SECOND: "no\0value" } } });
    expect(refused.json.code).toBe("SECRET_INVALID");
    const { items } = (await server.call("GET", `${BASE}/events`)).json as { items: object[] };
    expect(items.at(-1)).toMatchObject({ type: "secrets.set", names: ["FIRST"] });
  });

  it("leave by one door, and whoever used it is on record before the answer", async () => {
    await put("PULLED", CANARY);
    const answer = await server.call("POST", `${BASE}/pull`, { body: { names: ["PULLED"] } });
    expect(answer.json).toEqual({ values: { PULLED: CANARY } });
    expect(answer.headers["cache-control"]).toBe("no-store");
    const { items } = (await server.call("GET", `${BASE}/events`)).json as { items: object[] };
    expect(items.at(-1)).toMatchObject({ type: "secrets.pulled", principal: { name: "tester" }, names: ["PULLED"] });
    expect(JSON.stringify(items)).not.toContain(CANARY);
  });

  it("are in no other answer, in no error, and not in the log", async () => {
    const texts = [
      await put("QUIET", CANARY),
      await put("QUIET", `${CANARY}${"x".repeat(70_000)}`),
      await put("QUIET", `${CANARY}\0`),
      await put("1bad", CANARY),
      await server.call("PUT", `${BASE}/QUIET`, { body: { value: CANARY, valeu: CANARY } }),
      await server.call("PUT", `${BASE}/QUIET`, { payload: `{"value":"${CANARY}`, headers: { "content-type": "application/json" } }),
      await server.call("GET", BASE),
      await server.call("GET", `${BASE}/events`),
    ].map(({ text }) => text);
    expect([...texts, ...server.logged].join("\n")).not.toContain(CANARY);
  });

  it("of a plugin are apart from those of a project", async () => {
    expect((await server.call("PUT", "/v1/plugins/memory/secrets/API_KEY", { body: { value: CANARY } })).json.version).toBe("1");
    expect((await server.call("GET", "/v1/plugins/memory/secrets")).json.items).toHaveLength(1);
    expect((await server.call("GET", "/v1/projects/memory/environments/production/secrets")).json.items).toEqual([]);
  });

  it("say which store there is, and take a new key", async () => {
    expect((await server.call("GET", "/v1/secret-store")).json).toEqual({ kind: "local", ok: true, error: null });
    expect((await server.call("POST", "/v1/secret-store/rotate-key", { body: {} })).json.resealed).toBeGreaterThan(0);
  });
});

/** Sends a path exactly as it is written: no client library tidies it. */
function raw(
  url: string,
  { method = "GET", path, token, body }: { method?: string; path: string; token: string; body?: string },
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    };
    const sent = httpRequest({ hostname, port, method, path, headers, agent: false }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += String(chunk)));
      answer.on("end", () => resolve({ status: answer.statusCode!, text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Ways in which a word of a path may be written so that somebody, somewhere, takes it for another word. */
const WORD: readonly ((word: string) => string)[] = [
  (word) => word,
  (word) => word.toUpperCase(),
  (word) => word[0]!.toUpperCase() + word.slice(1),
  (word) => `%${word.charCodeAt(0).toString(16)}${word.slice(1)}`,
  (word) => [...word].map((one) => `%${one.charCodeAt(0).toString(16)}`).join(""),
  (word) => [...word].map((one) => `%25${one.charCodeAt(0).toString(16)}`).join(""),
  (word) => `${word}%00`,
  (word) => `${word}%20`,
  (word) => `%20${word}`,
  (word) => `${word}%0a`,
  (word) => `${word}.`,
  (word) => `./${word}`,
  (word) => `%2e/${word}`,
  (word) => `${word}/.`,
  (word) => `${word};x=1`,
  (word) => `${word}%3bx`,
  (word) => `${word}%2f`,
  (word) => `${word}%5c`,
  (word) => `mine/../${word}`,
  (word) => `mine%2f..%2f${word}`,
  (word) => `mine/%2e%2e/${word}`,
  (word) => `mine%2F%2e%2e%2F${word}`,
  (word) => `mine..%2f${word}`,
  (word) => `..%2f${word}`,
  (word) => `..;/${word}`,
  (word) => `/${word}`,
  (word) => `%2f${word}`,
  (word) => `mine,${word}`,
  (word) => `{${word}}`,
  (word) => `${word}%c0%ae`,
  (word) => `\u200b${word}`.replace("\u200b", "%e2%80%8b"),
  (word) => word.replace("o", "%d0%be"),
];

describe("a token of one project", () => {
  const mine = newTokenValue();
  let url: string;

  beforeAll(async () => {
    const scope = server.bench.scope;
    await server.deps.ledger.createToken(scope, { name: "of-mine", hash: tokenHash(mine), project: "mine" });
    for (const project of ["mine", "foreign"])
      await server.deps.secrets.set(scope, {
        path: { project, environment: "production" },
        name: "TOKEN",
        value: new Secret(`${project}-${CANARY}`),
      });
    url = await server.listen();
  });

  it("reaches its own project", async () => {
    const answer = await raw(url, {
      method: "POST",
      path: "/v1/projects/mine/environments/production/secrets/pull",
      token: mine,
      body: "{}",
    });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(`mine-${CANARY}`);
  });

  it("reads nothing of another, in more than 2,000 spellings of the way there", async () => {
    const tails = [
      { method: "POST", tail: "secrets/pull", body: "{}" },
      { method: "GET", tail: "secrets", body: undefined },
      { method: "GET", tail: "secrets/events", body: undefined },
    ];
    const paths = WORD.flatMap((project) =>
      WORD.flatMap((environment) =>
        tails.map((tail) => ({
          ...tail,
          path: `/v1/projects/${project("foreign")}/environments/${environment("production")}/${tail.tail}`,
        })),
      ),
    );
    const others = [
      "/v1/../v1/projects/foreign",
      "//v1/projects/foreign",
      "/V1/projects/foreign",
      "/v1/projects/mine/../foreign",
      "/v1/projects/mine/environments/..%2f..%2fforeign",
      "/v1/projects/mine/environments/production/../../../foreign",
    ];
    const more = others.flatMap((path) => tails.map((tail) => ({ ...tail, path: `${path}/environments/production/${tail.tail}` })));
    const elsewhere = [
      "/v1/tokens",
      "/v1/environments",
      "/v1/deployments",
      "/v1/plugins/memory/secrets",
      "/v1/secret-store",
      "/v1/principal",
      "/nowhere",
    ].map((path) => ({ method: "GET", path, body: undefined }));
    const all = [...paths, ...more, ...elsewhere];
    expect(all.length).toBeGreaterThan(2_000);
    const statuses: Record<number, number> = {};
    let foreign = 0;
    for (let at = 0; at < all.length; at += 50) {
      const answers = await Promise.all(
        all
          .slice(at, at + 50)
          .map(({ method, path, body }) => raw(url, { method, path, token: mine, ...(body !== undefined && { body }) })),
      );
      for (const [i, { status, text }] of answers.entries()) {
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (text.includes("foreign-") || status < 400) foreign++;
        // What cannot be decoded is no URL: refused before anybody is asked who it is.
        const { path } = all[at + i]!;
        expect(status, path).toBe(path.includes("%c0%ae") ? 400 : 403);
      }
    }
    expect(foreign).toBe(0);
    console.log(`${all.length} spellings: ${JSON.stringify(statuses)}, foreign reads: ${foreign}`);
  }, 120_000);
});
