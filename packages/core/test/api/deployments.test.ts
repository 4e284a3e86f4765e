import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";
import { type TestServer, startServer } from "./server.ts";

let postgres: TestPostgres;
let server: TestServer;
beforeAll(async () => {
  postgres = await startPostgres();
  server = await startServer(postgres);
});
afterAll(async () => {
  await server.close();
  await postgres.stop();
});

/** A manifest of one service on the memory plugin. */
function manifest(project: string, env = "one"): string {
  return `project: ${project}\nservices:\n  web: { build: memory, runtime: memory, delivery: memory, start: node ., env: { V: ${env} } }\n`;
}

describe("a deployment", () => {
  it("is asked for, runs, and its result is the document of helix deploy", async () => {
    const asked = await server.deploy(manifest("shop"), { message: "first", timeoutMs: 60_000 });
    expect(asked.status).toBe(202);
    expect(asked.headers["location"]).toBe(`/v1/deployments/${asked.json.id}`);
    expect(asked.json).toMatchObject({
      project: "shop",
      environment: "production",
      kind: "deploy",
      status: "queued",
      noChange: false,
      release: null,
      message: "first",
      principal: { name: "tester" },
    });
    const early = await server.call("GET", `/v1/deployments/${asked.json.id}/result`);
    expect(early.json).toMatchObject({ deployment: { status: "queued" }, release: null, services: [], error: null });
    await server.bench.work();

    const { json: result } = await server.call("GET", `/v1/deployments/${asked.json.id}/result`);
    expect(result).toEqual({
      deployment: { id: asked.json.id, kind: "deploy", status: "live", noChange: false },
      release: { id: expect.stringMatching(/^rel_/) },
      services: [
        {
          name: "web",
          environment: "production",
          url: expect.stringContaining("web.production.shop.localhost"),
          address: { host: expect.any(String), port: expect.any(Number) },
          runtime: "memory",
          artifact: { kind: "node-bundle", digest: expect.stringMatching(/^sha256:/) },
        },
      ],
      findings: [],
      error: null,
    });

    const { json: detail } = await server.call("GET", `/v1/deployments/${asked.json.id}`);
    expect(detail).toMatchObject({ status: "live", release: result.release.id, endedAt: expect.any(String) });
    expect(detail.steps.map((step: { id: string }) => step.id)).toContain("apply:web");
    expect(detail.decisions.map((decision: { point: string }) => decision.point)).toEqual(["plan", "artifact", "release"]);
    expect(detail.changes).not.toEqual([]);
  });

  it("that changes nothing says so and keeps the release", async () => {
    const [first, again] = [await server.deploy(manifest("same")), await server.bench.work().then(() => server.deploy(manifest("same")))];
    await server.bench.work();
    const results = await Promise.all([first, again].map(({ json }) => server.call("GET", `/v1/deployments/${json.id}/result`)));
    expect(results[1]!.json.deployment).toMatchObject({ status: "live", noChange: true });
    expect(results[1]!.json.release).toEqual(results[0]!.json.release);
    expect(results[1]!.json.services).toEqual(results[0]!.json.services);
  });

  it("that failed has its error and no services", async () => {
    server.bench.dials.onCall = ({ verb }) => {
      if (verb === "apply") throw new Error("no room");
    };
    const { json } = await server.deploy(manifest("broken"));
    await server.bench.work();
    server.bench.dials.onCall = () => {};
    const { json: result } = await server.call("GET", `/v1/deployments/${json.id}/result`);
    expect(result).toMatchObject({ deployment: { status: "failed" }, release: null, services: [] });
    expect(result.error.code).toEqual(expect.any(String));
  });

  it("carries the findings of its policies once, with the line of what they speak of", async () => {
    const finding = {
      rule: "health",
      level: "advisory" as const,
      message: "no health path",
      path: "services.web.health.path",
      file: "helix.yaml",
      line: null,
      fix: "write one",
    };
    server.bench.dials.decide = () => ({ allow: true, findings: [finding], bundle: "b" });
    const { json } = await server.deploy(manifest("found"));
    await server.bench.work();
    server.bench.dials.decide = () => ({ allow: true, findings: [], bundle: "none" });
    const { json: result } = await server.call("GET", `/v1/deployments/${json.id}/result`);
    expect(result.findings).toEqual([{ ...finding, line: 3 }]);
  });

  it("made with one Idempotency-Key is made once", async () => {
    const { digest: snapshot } = await server.bench.snapshot({ "index.js": "" });
    const body = { kind: "deploy", manifest: { text: manifest("once"), file: "helix.yaml" }, snapshot };
    const headers = { "idempotency-key": "key-1" };
    const first = await server.call("POST", "/v1/deployments", { body, headers });
    const again = await server.call("POST", "/v1/deployments", { body, headers });
    expect(again.status).toBe(202);
    expect(again.json.id).toBe(first.json.id);
    expect(again.headers["idempotency-replayed"]).toBe("true");
    const other = await server.call("POST", "/v1/deployments", { body: { ...body, message: "other" }, headers });
    expect(other).toMatchObject({ status: 422, json: { code: "IDEMPOTENCY_MISMATCH" } });
  });

  it("can be cancelled while it waits, and not once it has ended", async () => {
    const { json } = await server.deploy(manifest("stopped"));
    const cancelled = await server.call("POST", `/v1/deployments/${json.id}/cancel`);
    expect(cancelled).toMatchObject({ status: 202, json: { id: json.id, status: "cancelled" } });
    expect(await server.call("POST", `/v1/deployments/${json.id}/cancel`)).toMatchObject({
      status: 409,
      json: { code: "DEPLOYMENT_ENDED" },
    });
  });

  it("is superseded by a newer one that waits", async () => {
    const older = await server.deploy(manifest("newer"));
    const newer = await server.deploy(manifest("newer", "two"));
    const { json } = await server.call("GET", `/v1/deployments/${older.json.id}`);
    expect(json).toMatchObject({ status: "superseded", supersededBy: newer.json.id, error: { code: "SUPERSEDED" } });
    await server.bench.work();
  });
});

describe("what is wrong is refused before there is a deployment", () => {
  const count = async () => (await server.call("GET", "/v1/deployments?limit=200")).json.items.length;

  it.each<[string, object, number, string, RegExp]>([
    [
      "a manifest with a typo",
      { manifest: { text: "project: x\nservces: {}\n", file: "a/helix.yaml" } },
      422,
      "MANIFEST_INVALID",
      /^a\/helix\.yaml:1:1: .*\n/,
    ],
    ["a snapshot that is not here", { snapshot: `sha256:${"0".repeat(64)}` }, 409, "SNAPSHOT_INCOMPLETE", /store it first/],
    ["a runtime that is not installed", { runtime: "memry" }, 422, "PLUGIN_UNKNOWN", /did you mean "memory"/],
    ["another project than the manifest's", { project: "other" }, 400, "USAGE", /for the project other, its manifest for wrong/],
    ["a name that is none", { environment: "Prod!" }, 400, "USAGE", /"Prod!" is not the name of an environment/],
    ["an unknown key", { snapshoot: "x" }, 400, "USAGE", /body: unknown key "snapshoot"; did you mean "snapshot"\?/],
    ["text for a number", { timeoutMs: "60000" }, 400, "USAGE", /body\.timeoutMs must be integer/],
    ["an unknown kind", { kind: "deplyo" }, 400, "USAGE", /body/],
    [
      "a folder that is not there",
      {
        manifest: {
          text: "project: x\nservices: { web: { build: memory, runtime: memory, delivery: memory, source: ./site } }\n",
          file: "helix.yaml",
        },
      },
      422,
      "MANIFEST_INVALID",
      /the source has no folder "site"/,
    ],
    [
      "no builder",
      { manifest: { text: "project: x\nservices: { web: {} }\n", file: "helix.yaml" } },
      422,
      "MANIFEST_INVALID",
      /has no build/,
    ],
  ])("%s", async (_, more, status, code, message) => {
    const before = await count();
    const answer = await server.deploy(manifest("wrong"), more as Record<string, unknown>);
    expect(answer).toMatchObject({
      status,
      json: { code, status, title: expect.any(String), type: `/v1/errors/${code}`, instance: "POST /v1/deployments" },
    });
    expect(answer.json.detail).toMatch(message);
    expect(answer.json.message).toBe(answer.json.detail);
    expect(await count()).toBe(before);
  });

  it("a manifest's problems are all in the details, with their places", async () => {
    const { json } = await server.deploy("project: shop\nservices:\n  web:\n    build: memory\n    replica: 3\n    drain: 5\n");
    expect(json.details.problems.map((problem: { line: number; column: number }) => `${problem.line}:${problem.column}`)).toEqual([
      "5:5",
      "6:12",
    ]);
  });

  it("takes what was detected where the manifest is silent", async () => {
    const text = "project: silent\nservices: { web: { runtime: memory, delivery: memory } }\n";
    const answer = await server.deploy(text, { detected: { web: { build: "memory", start: "node ." } } });
    expect(answer.status).toBe(202);
    await server.bench.work();
  });
});

describe("lists", () => {
  it("are paged, newest first, without gaps or repeats", async () => {
    for (const env of ["a", "b", "c"]) {
      await server.deploy(manifest("paged", env));
      await server.bench.work();
    }
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const { json } = await server.call(
        "GET",
        `/v1/deployments?project=paged&environment=production&limit=2${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...json.items.map((item: { id: string }) => item.id));
      cursor = json.next;
    }
    expect(seen).toHaveLength(3);
    expect(seen).toEqual(seen.toSorted().toReversed());
    expect((await server.call("GET", "/v1/deployments?project=paged&environment=staging")).json).toEqual({ items: [], next: null });
    expect((await server.call("GET", "/v1/deployments?project=nobody")).json.items).toEqual([]);
    expect(await server.call("GET", "/v1/deployments?environment=production")).toMatchObject({ status: 400, json: { code: "USAGE" } });
    expect(await server.call("GET", "/v1/deployments?limit=0")).toMatchObject({
      status: 400,
      json: { detail: "query.limit must be >= 1" },
    });
    expect(await server.call("GET", "/v1/deployments?limt=1")).toMatchObject({
      status: 400,
      json: { detail: expect.stringContaining('did you mean "limit"') },
    });
  });
});

describe("an environment", () => {
  it("shows status, releases, candidates and stats, and can be rolled back and removed", async () => {
    for (const env of ["one", "two"]) {
      await server.deploy(manifest("house", env), { environment: "preview/a-branch", message: env });
      await server.bench.work();
    }
    const base = "/v1/projects/house/environments/preview%2Fa-branch";
    const { json: status } = await server.call("GET", `${base}/status`);
    expect(status).toMatchObject({ project: "house", environment: "preview/a-branch", services: [{ name: "web", status: "live" }] });
    const { json: releases } = await server.call("GET", `${base}/releases`);
    expect(releases.items.map((release: { number: number }) => release.number)).toEqual([2, 1]);
    const { json: paged } = await server.call("GET", `${base}/releases?limit=1`);
    expect(paged).toMatchObject({ items: [{ number: 2, principal: { name: "tester" } }], next: expect.any(String) });
    const { json: found } = await server.call("GET", `${base}/candidates`);
    expect(found.candidates).toMatchObject([{ release: releases.items[1].id, number: 1, message: "one" }]);
    expect((await server.call("GET", `${base}/stats`)).json.items).toMatchObject([{ release: releases.items[0].id, requests: 0 }]);

    const place = { project: "house", environment: "preview/a-branch" };
    const back = await server.call("POST", "/v1/deployments", { body: { kind: "rollback", ...place, release: releases.items[1].id } });
    expect(back.status).toBe(202);
    await server.bench.work();
    const { json: result } = await server.call("GET", `/v1/deployments/${back.json.id}/result`);
    expect(result).toMatchObject({ deployment: { kind: "rollback", status: "live" }, release: { id: releases.items[1].id } });

    const gone = await server.call("POST", "/v1/deployments", { body: { kind: "destroy", ...place } });
    await server.bench.work();
    expect((await server.call("GET", `/v1/deployments/${gone.json.id}/result`)).json).toMatchObject({
      deployment: { status: "live" },
      services: [],
    });
    expect((await server.call("GET", `${base}/status`)).json.services).toEqual([]);
  });

  it("is listed with its names", async () => {
    const { json } = await server.call("GET", "/v1/environments");
    expect(json.items).toContainEqual(expect.objectContaining({ project: "house", name: "preview/a-branch", liveRelease: null }));
  });

  it.each([
    ["GET", "/v1/projects/hose/environments/production/status", "PROJECT_NOT_FOUND", 'there is no project "hose"; did you mean "house"?'],
    ["GET", "/v1/projects/house/environments/production/releases", "ENVIRONMENT_NOT_FOUND", 'house has no environment "production"'],
    ["GET", "/v1/projects/house/environments/x/candidates", "ENVIRONMENT_NOT_FOUND", 'house has no environment "x"'],
    ["GET", "/v1/deployments/dep_0", "DEPLOYMENT_NOT_FOUND", "there is no deployment dep_0"],
    ["GET", "/v1/deployments/dep_0/events", "DEPLOYMENT_NOT_FOUND", "there is no deployment dep_0"],
    ["GET", "/v1/deployments/dep_0/logs", "DEPLOYMENT_NOT_FOUND", "there is no deployment dep_0"],
    [
      "GET",
      "/v1/projects/shop/environments/production/services/wbe/logs",
      "SERVICE_NOT_FOUND",
      'shop production runs no service "wbe"; did you mean "web"?',
    ],
  ] as const)("%s %s is %s", async (method, path, code, detail) => {
    expect(await server.call(method, path)).toMatchObject({ status: 404, json: { code, detail } });
  });

  it.each([
    "projects/a%00/environments/x/status",
    "projects/shop/environments/%0a/status",
    "deployments?cursor=%00",
    "deployments?project=%00",
    "deployments?project=shop&environment=%00",
    "projects/shop/environments/production/releases?cursor=99999999999",
    "projects/shop/environments/production/releases?cursor=x",
    "projects/shop/environments/production/services/%00/logs",
  ])("GET /v1/%s is refused in words", async (path) => {
    expect(await server.call("GET", `/v1/${path}`)).toMatchObject({ status: 400, json: { code: "USAGE" } });
  });

  it("refuses to go back to another environment's release, or to remove what is not there", async () => {
    const release = (await server.call("GET", "/v1/projects/shop/environments/production/releases")).json.items[0].id;
    const body = { kind: "rollback", project: "house", environment: "preview/a-branch", release };
    expect(await server.call("POST", "/v1/deployments", { body })).toMatchObject({ status: 404, json: { code: "RELEASE_NOT_FOUND" } });
    const other = { kind: "destroy", project: "house", environment: "nowhere" };
    expect(await server.call("POST", "/v1/deployments", { body: other })).toMatchObject({
      status: 404,
      json: { code: "ENVIRONMENT_NOT_FOUND" },
    });
  });
});

describe("a plan", () => {
  it("shows changes and findings, and stores nothing", async () => {
    const entries = [{ path: "index.js", type: "file", mode: "644", size: 0, digest: `sha256:${"e".repeat(64)}` }];
    const text = manifest("planned");
    const finding = { rule: "r", level: "mandatory" as const, message: "m", path: "services.web.env.V", file: "", line: null, fix: "f" };
    server.bench.dials.decide = () => ({ allow: false, findings: [finding], bundle: "b" });
    const { status, json } = await server.call("POST", "/v1/plan", {
      body: { environment: "production", manifest: { text, file: "h.yaml" }, entries },
    });
    server.bench.dials.decide = () => ({ allow: true, findings: [], bundle: "none" });
    expect(status).toBe(200);
    expect(json).toMatchObject({ allow: false, changes: [{ service: "web", action: "create" }], findings: [{ file: "h.yaml", line: 3 }] });
    expect((await server.call("GET", "/v1/environments")).json.items.map((item: { project: string }) => item.project)).not.toContain(
      "planned",
    );
  });
});
