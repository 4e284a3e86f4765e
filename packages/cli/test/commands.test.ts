import { afterEach, describe, expect, it } from "vitest";
import { type ApiServer, type Handler, json, problem, startApi, stream } from "./support/api-server.ts";
import { folderWith } from "./support/folder.ts";
import { helix, startHelix } from "./support/helix.ts";

const manifest = "project: shop\nservices:\n  web: { build: node }\n";
const project = () => folderWith({ "helix.yaml": manifest, "server.js": "one" });
const base = "/v1/projects/shop/environments/production";
const now = new Date().toISOString();

let api: ApiServer;
afterEach(() => api.kill().catch(() => {}));
const start = async (routes: Readonly<Record<string, Handler>>) => (api = await startApi(routes));
const run = (args: readonly string[], cwd = project()) => helix(args, { cwd, env: { HELIX_URL: api.url } });
const answer =
  (value: unknown): Handler =>
  (_, response) =>
    json(response, value);

const service = {
  name: "web",
  environment: "production",
  url: "http://web.production.shop.localhost:4400",
  address: { host: "127.0.0.1", port: 4500 },
  runtime: "process",
  artifact: { kind: "node-bundle", digest: "sha256:aa" },
  status: "live",
  revisions: [
    { id: "rev_1", release: "rel_1", state: "serving" },
    { id: "rev_0", release: "rel_0", state: "warm" },
  ],
};
const processes = [
  { role: "supervisor", pid: 10 },
  { role: "control", pid: 11 },
  { role: "worker", pid: 11 },
];
const deployment = {
  id: "dep_1",
  project: "shop",
  environment: "production",
  kind: "deploy",
  status: "live",
  noChange: false,
  release: "rel_1",
  message: "first",
  principal: { id: "prn_1", name: "local" },
  error: null,
  supersededBy: null,
  createdAt: now,
  startedAt: now,
  endedAt: now,
  deadlineAt: now,
};

describe("plan", () => {
  const change = { service: "web", action: "update", path: "replicas", from: 1, to: 2 };

  it("sends the list of files and nothing else, and shows what would change", async () => {
    await start({ "POST /v1/plan": answer({ changes: [change], findings: [], allow: true }) });
    const { exit, documents } = await run(["plan", "--json"]);
    expect({ exit, documents }).toEqual({ exit: 0, documents: [{ ok: true, changes: [change], findings: [] }] });
    const human = await run(["plan"]);
    expect(human.stdout).toBe("web\n    ~ replicas  1 → 2\n\n1 to update.\n");
    expect(new Set(api.seen.filter(({ method }) => method !== "GET").map(({ path }) => path))).toEqual(new Set(["/v1/plan"]));
  });

  it("is for the start command that the builder finds, so that it is shown; one that is written is not looked for", async () => {
    await start({ "POST /v1/plan": answer({ changes: [], findings: [], allow: true }) });
    const detected = async (text: string) => {
      const run_ = await run(["plan", "--json"], folderWith({ "helix.yaml": text, "server.js": "one", "package.json": "{}" }));
      expect(run_.exit, run_.stderr).toBe(0);
      return (JSON.parse(api.seen.findLast(({ path }) => path === "/v1/plan")!.body.toString()) as { detected: object }).detected;
    };
    expect(await detected(manifest)).toEqual({ web: { start: "node server.js" } });
    expect(await detected(manifest.replace("build: node", "build: node, start: node other.js"))).toEqual({});
    expect(await detected(manifest.replace("build: node", "build: static"))).toEqual({});
  });

  it("that a policy denies exits 5 with the findings", async () => {
    const finding = {
      rule: "r1",
      level: "mandatory",
      message: "no health path",
      path: "services.web.health",
      file: "helix.yaml",
      line: 3,
      fix: "add health.path",
    };
    await start({ "POST /v1/plan": answer({ changes: [change], findings: [finding], allow: false }) });
    const { exit, documents } = await run(["plan", "--json"]);
    expect({ exit, documents }).toMatchObject({
      exit: 5,
      documents: [{ ok: false, error: { code: "POLICY_DENIED", findings: [finding] } }],
    });
    const human = await run(["plan"]);
    expect(human.stderr).toMatch(/mandatory r1.*no health path\n.*helix\.yaml:3.*\n.*add health\.path/);
  });
});

describe("status", () => {
  it("has services with both addresses, and the processes", async () => {
    await start({
      [`GET ${base}/status`]: answer({
        project: "shop",
        environment: "production",
        release: { id: "rel_1" },
        deployment: null,
        services: [service],
      }),
      "GET /v1/plane": answer({ processes }),
    });
    const { exit, documents } = await run(["status", "--json"]);
    expect(exit).toBe(0);
    expect(documents[0]).toMatchObject({ ok: true, services: [service], processes, plane: { running: true, url: api.url } });
    const human = await run(["status"]);
    expect(human.stdout).toContain(
      "web      live    http://web.production.shop.localhost:4400  127.0.0.1:4500  process  1 serving, 1 warm",
    );
    expect(human.stdout).toContain("control + worker  pid 11");
  });

  it("lists nothing for what was never deployed; a named environment that is not there exits 6", async () => {
    const missing: Handler = (_, response) => problem(response, { status: 404, code: "ENVIRONMENT_NOT_FOUND", detail: "none" });
    await start({ "GET /v1/projects/*": missing, "GET /v1/plane": answer({ processes }) });
    expect(await run(["status", "--json"])).toMatchObject({ exit: 0, documents: [{ ok: true, services: [] }] });
    expect(await run(["status", "--environment", "staging", "--json"])).toMatchObject({
      exit: 6,
      documents: [{ ok: false, error: { code: "ENVIRONMENT_NOT_FOUND" } }],
    });
  });
});

describe("ls and inspect", () => {
  it("list deployments in a project, environments outside of one", async () => {
    await start({
      "GET /v1/deployments": answer({ items: [deployment], next: "c1" }),
      "GET /v1/environments": answer({
        items: [{ id: "env_1", project: "shop", name: "production", liveRelease: "rel_1", activeDeployment: null, createdAt: now }],
      }),
    });
    expect((await run(["ls", "--json"])).documents).toEqual([{ ok: true, deployments: [deployment], next: "c1" }]);
    expect(await run(["ls"])).toMatchObject({
      stdout: expect.stringMatching(/^DEPLOYMENT .*\ndep_1 +deploy +live +rel_1/),
      stderr: expect.stringContaining("helix ls --cursor c1"),
    });
    expect((await run(["ls"], folderWith({}))).stdout).toMatch(/^PROJECT .*\nshop +production +rel_1/);
  });

  it("show one deployment with its steps", async () => {
    const steps = [
      {
        id: "build:web",
        kind: "build",
        service: "web",
        state: "done",
        attempt: 1,
        fence: 1,
        plugin: "node@0.1.0",
        error: null,
        startedAt: now,
        endedAt: now,
      },
    ];
    const finding = {
      rule: "owner",
      level: "advisory",
      message: "nobody owns it",
      path: "services.web",
      file: "helix.yaml",
      line: 3,
      fix: "say who",
    };
    await start({
      "GET /v1/deployments": answer({ items: [deployment], next: null }),
      "GET /v1/deployments/dep_1/result": answer({ deployment, release: null, services: [], findings: [finding], error: null }),
      "GET /v1/deployments/dep_1": answer({
        ...deployment,
        snapshot: null,
        toRelease: null,
        changes: [],
        steps,
        decisions: [],
        incidents: [],
      }),
      "GET /v1/deployments/*": (_, response) => problem(response, { status: 404, code: "DEPLOYMENT_NOT_FOUND", detail: "none" }),
    });
    expect((await run(["inspect", "dep_1", "--json"])).documents[0]).toMatchObject({ ok: true, deployment: { id: "dep_1", steps } });
    expect((await run(["inspect", "dep_1"])).stdout).toMatch(/build:web +done +node@0\.1\.0/);
    // Without an id it is the newest.
    expect((await run(["inspect", "--json"])).documents[0]).toMatchObject({ ok: true, deployment: { id: "dep_1" }, findings: [finding] });
    expect((await run(["inspect"])).stdout).toMatch(/advisory owner +nobody owns it\n.*helix\.yaml:3.*\n.*say who/);
    expect(await run(["inspect", "dep_9", "--json"])).toMatchObject({ exit: 6, documents: [{ error: { code: "DEPLOYMENT_NOT_FOUND" } }] });
  });
});

describe("logs", () => {
  const line = (text: string, at: string) => ({ cursor: at, at, stream: "stdout", instance: 0, text, service: "web" });
  const lines = [line("one", "2026-01-01T00:00:01Z"), line("two", "2026-01-01T00:00:02Z")];

  it("are one document, or plain text", async () => {
    await start({
      [`GET ${base}/services/web/logs`]: (_, response) => (lines.forEach((data, i) => stream0(response, i, data)), void response.end()),
    });
    expect((await run(["logs", "web", "--json"])).documents).toEqual([{ ok: true, lines }]);
    expect((await run(["logs", "web"])).stdout).toBe("one\ntwo\n");
  });

  it("that follow are one document a line, and Ctrl-C ends them with exit 0", async () => {
    await start({ [`GET ${base}/services/web/logs`]: (_, response) => lines.forEach((data, i) => stream0(response, i, data)) });
    const child = startHelix(["logs", "web", "-f", "--json"], { cwd: project(), env: { HELIX_URL: api.url } });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.split("\n").length > 2) child.kill("SIGINT");
    });
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text) as unknown),
    ).toEqual(lines.map((one) => ({ ok: true, ...one })));
  });
});

/** Opens the stream with the first line. */
function stream0(response: Parameters<Handler>[1], i: number, data: unknown): void {
  if (i === 0) stream(response)({ id: i + 1, event: "line", data });
  else response.write(`id: ${i + 1}\nevent: line\ndata: ${JSON.stringify(data)}\n\n`);
}

describe("rollback", () => {
  it("lists candidates; with a release it goes there and answers as deploy does", async () => {
    const candidate = {
      release: "rel_0",
      number: 1,
      createdAt: now,
      message: "old",
      warm: true,
      changes: [{ service: "web", action: "update", path: "env.A", from: "2", to: "1" }],
    };
    const outcome = {
      deployment: { id: "dep_2", kind: "rollback", status: "live", noChange: false },
      release: { id: "rel_0" },
      services: [service],
      findings: [],
      error: null,
    };
    await start({
      "POST /v1/plane/up": answer({}),
      [`GET ${base}/candidates`]: answer({ candidates: [candidate] }),
      "POST /v1/deployments": answer({ id: "dep_2", status: "queued" }),
      "GET /v1/deployments/dep_2/events": (_, response) => stream(response)({ id: 1, event: "deployment.live", data: {} }),
      "GET /v1/deployments/dep_2/result": answer(outcome),
    });
    expect((await run(["rollback", "--json"])).documents).toEqual([{ ok: true, candidates: [candidate] }]);
    expect((await run(["rollback"])).stdout).toMatch(/rel_0 +#1 .*warm +web\.env\.A +old/);
    expect(await run(["rollback", "rel_0", "--json"])).toMatchObject({
      exit: 0,
      documents: [{ ok: true, deployment: outcome.deployment, release: outcome.release, services: [service] }],
    });
    const asked = api.seen.find(({ method, path }) => method === "POST" && path === "/v1/deployments")!;
    expect(JSON.parse(asked.body.toString())).toEqual({ kind: "rollback", project: "shop", environment: "production", release: "rel_0" });
  });
});

describe("destroy, cancel, token", () => {
  it("destroy asks for it by name and prints nothing but what is left", async () => {
    const outcome = {
      deployment: { id: "dep_3", kind: "destroy", status: "live", noChange: false },
      release: null,
      services: [],
      findings: [],
      error: null,
    };
    await start({
      "POST /v1/deployments": answer({ id: "dep_3", status: "queued" }),
      "GET /v1/deployments/dep_3/events": (_, response) => stream(response)({ id: 1, event: "deployment.live", data: {} }),
      "GET /v1/deployments/dep_3/result": answer(outcome),
    });
    expect(await run(["destroy", "--yes", "--with-data", "--json"])).toMatchObject({
      exit: 0,
      documents: [{ ok: true, services: [], release: null, deployment: { kind: "destroy", status: "destroyed" } }],
    });
    expect(JSON.parse(api.seen.find(({ method }) => method === "POST")!.body.toString())).toEqual({
      kind: "destroy",
      project: "shop",
      environment: "production",
      withData: true,
    });
    const human = await run(["destroy", "--yes"]);
    expect(human).toMatchObject({ exit: 0, stdout: "" });
    expect(human.stderr).not.toContain("live");
  });

  it("cancel says what became of it; ended ones cannot be cancelled", async () => {
    await start({
      "POST /v1/deployments/dep_1/cancel": answer({ ...deployment, status: "compensating" }),
      "POST /v1/deployments/dep_2/cancel": (_, response) =>
        problem(response, { status: 409, code: "DEPLOYMENT_ENDED", detail: "it is live" }),
    });
    expect(await run(["cancel", "dep_1", "--json"])).toMatchObject({
      exit: 0,
      documents: [{ ok: true, deployment: { id: "dep_1", status: "compensating" } }],
    });
    expect(await run(["cancel", "dep_2", "--json"])).toMatchObject({ exit: 1, documents: [{ error: { code: "DEPLOYMENT_ENDED" } }] });
  });

  it("token create prints the token alone", async () => {
    const item = { id: "tok_1", name: "ci", createdAt: now, lastUsedAt: null, revokedAt: null };
    await start({
      "POST /v1/tokens": answer({ ...item, token: "helix_secret" }),
      "GET /v1/tokens": answer({ items: [item] }),
      "DELETE /v1/tokens/ci": answer({ ...item, revokedAt: now }),
    });
    expect((await run(["token", "create", "ci"])).stdout).toBe("helix_secret\n");
    expect((await run(["token", "ls", "--json"])).documents).toEqual([{ ok: true, tokens: [item] }]);
    expect(await run(["token", "revoke", "ci", "--json"])).toMatchObject({ exit: 0, documents: [{ ok: true, token: { name: "ci" } }] });
  });
});

describe("doctor", () => {
  const plugin = { name: "node", version: "0.1.0", description: "", planes: ["build"], capabilities: [], digest: "" };
  const routes = (sweep: object, more: object = {}) => ({
    "GET /v1/plane": answer({
      processes,
      database: { ok: true },
      queue: { ok: true, kind: "postgres", depth: 0 },
      now: new Date().toISOString(),
      ...more,
    }),
    "GET /v1/plugins": answer({ items: [plugin] }),
    "GET /v1/sweep": answer({ drift: [], orphans: [], unknown: [], ...sweep }),
  });

  it("is content where all is well", async () => {
    await start(routes({}));
    const { exit, documents } = await run(["doctor", "--json"]);
    expect({ exit, documents }).toMatchObject({ exit: 0, documents: [{ ok: true, healthy: true }] });
    expect(documents[0].checks.map(({ name }: { name: string }) => name)).toEqual([
      "node",
      "plane",
      "database",
      "queue",
      "clock",
      "plugin node",
      "world",
    ]);
  });

  it("names what is wrong, with what mends it, and still exits 0", async () => {
    const drift = [{ kind: "revision", id: "rev_1", service: "web", description: "web's process is gone" }];
    await start(routes({ drift }, { database: { ok: false, error: "it does not answer" }, now: "2020-01-01T00:00:00Z" }));
    const { exit, documents } = await run(["doctor", "--json"]);
    expect({ exit, documents }).toMatchObject({ exit: 0, documents: [{ ok: true, healthy: false }] });
    const failed = documents[0].checks.filter(({ state }: { state: string }) => state === "failed");
    expect(failed.map(({ name }: { name: string }) => name)).toEqual(["database", "clock", "drift"]);
    for (const check of failed) expect(check).toMatchObject({ says: expect.any(String), fix: expect.any(String) });
    expect((await run(["doctor"])).stdout).toMatch(/drift +web's process is gone +mend: helix deploy/);
  });

  it("says that another plane does not take the token", async () => {
    await start({
      "GET /v1/plane": (_, response) => problem(response, { status: 401, code: "TOKEN_MISSING", detail: "a token is needed" }),
    });
    expect((await run(["doctor", "--json"])).documents[0].checks).toContainEqual({
      name: "plane",
      state: "failed",
      says: "a token is needed",
      fix: "export HELIX_TOKEN=hlx_...",
    });
  });
});
