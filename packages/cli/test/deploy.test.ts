import { createHash } from "node:crypto";
import { ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type ApiServer, type Handler, json, problem, startApi, stream, takesSource } from "./support/api-server.ts";
import { folderWith } from "./support/folder.ts";
import { helix, startHelix } from "./support/helix.ts";

const manifest = "project: shop\nservices:\n  web: { build: node, start: node server.js }\n";
const sha = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const project = (files: Readonly<Record<string, string>> = {}) => folderWith({ "helix.yaml": manifest, "server.js": "one", ...files });

const service = (name: string) => ({
  name,
  environment: "production",
  url: `http://${name}.production.shop.localhost:4400`,
  address: { host: "127.0.0.1", port: 4500 },
  runtime: "process",
  artifact: { kind: "node-bundle", digest: sha("artifact") },
});
const result = (status: string, more: object = {}) => ({
  deployment: { id: "dep_1", kind: "deploy", status, noChange: false },
  release: status === "live" ? { id: "rel_1" } : null,
  services: [service("web")],
  findings: [],
  error: null,
  ...more,
});

/** The routes of a plane that takes any deployment and ends it as said. */
const routes = (outcome: object, more: Readonly<Record<string, Handler>> = {}): Readonly<Record<string, Handler>> => ({
  "POST /v1/plane/up": (_, response) => json(response, {}),
  ...takesSource(sha("snapshot")),
  "POST /v1/deployments": (_, response) => json(response, { id: "dep_1", status: "queued" }, 202),
  "GET /v1/deployments/dep_1/events": (_, response) => {
    const send = stream(response);
    send({ id: 1, event: "deployment.queued", data: {} });
    send({ id: 2, event: "step.started", data: { step: "build:web", kind: "build", service: "web", attempt: 1 } });
    send({ id: 3, event: "step.done", data: { step: "build:web", kind: "build", service: "web" } });
    send({ id: 4, event: `deployment.${(outcome as { deployment: { status: string } }).deployment.status}`, data: {} });
  },
  "GET /v1/deployments/dep_1/logs": (_, response) => void stream(response),
  "GET /v1/deployments/dep_1/result": (_, response) => json(response, outcome),
  ...more,
});

let api: ApiServer;
afterEach(() => api.kill().catch(() => {}));
const run = (args: readonly string[], cwd: string) => helix(args, { cwd, env: { HELIX_URL: api.url, HELIX_TOKEN: "secret" } });

describe("deploy", () => {
  it("prints the URL alone on stdout, everything else on stderr", async () => {
    api = await startApi(routes(result("live")));
    const { exit, stdout, stderr } = await run(["deploy"], project());
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: "http://web.production.shop.localhost:4400\n" });
    expect(stderr).toContain("build web done");
    expect(stderr).toContain("http://127.0.0.1:4500");
    expect(stderr).toContain("rel_1");
  });

  it("tells advice in one line, and what would have refused it in full; --json has all of it", async () => {
    const finding = (rule: string, level: string) => ({
      rule,
      level,
      message: `about ${rule}`,
      path: "",
      file: "",
      line: null,
      fix: "mend it",
    });
    const findings = [finding("owner", "advisory"), finding("root", "soft-mandatory"), finding("health", "advisory")];
    api = await startApi(routes(result("live", { findings })));
    const { stderr } = await run(["deploy"], project());
    expect(stderr).toContain("  2 advisories: owner, health; `helix inspect` shows more\n");
    expect(stderr).toContain("soft-mandatory root  about root\n");
    expect(stderr).not.toContain("about owner");
    expect((await run(["deploy", "--json"], project())).documents[0].findings).toEqual(findings);
  });

  it("prints name and URL where there are several", async () => {
    api = await startApi(routes(result("live", { services: [service("web"), service("worker")] })));
    const { stdout } = await run(["deploy"], project());
    expect(stdout).toBe("web     http://web.production.shop.localhost:4400\nworker  http://worker.production.shop.localhost:4400\n");
  });

  it("is one document with --json", async () => {
    api = await startApi(routes(result("live")));
    const { exit, documents } = await run(["deploy", "--json"], project());
    expect(exit).toBe(0);
    const { error: _, ...document } = result("live") as Record<string, unknown>;
    expect(documents).toEqual([{ ok: true, ...document }]);
  });

  it("sends the list, what is missing, each content once, and the list again, then asks, with an idempotency key", async () => {
    api = await startApi(routes(result("live")));
    await run(["deploy", "--json", "-m", "a note", "--timeout", "90s", "--runtime", "docker"], project({ "copy.js": "one" }));
    const order = api.seen.map(({ method, path }) => `${method} ${path}`);
    expect(order.filter((one) => /snapshots|blobs|deployments$/.test(one))).toEqual([
      "POST /v1/snapshots",
      "POST /v1/blobs",
      "POST /v1/snapshots",
      "POST /v1/deployments",
    ]);
    expect(api.seen.find(({ path }) => path === "/v1/blobs")).toMatchObject({
      headers: { "content-type": "application/vnd.helix.blobs" },
      body: Buffer.from(`${sha("one")} 3\none`),
    });
    const { entries } = JSON.parse(api.seen.find(({ path }) => path === "/v1/snapshots")!.body.toString()) as {
      entries: { path: string }[];
    };
    expect(entries).toEqual(["copy.js", "server.js"].map((path) => ({ path, type: "file", mode: "644", size: 3, digest: sha("one") })));
    const asked = api.seen.find(({ method, path }) => method === "POST" && path === "/v1/deployments")!;
    expect(asked.headers["idempotency-key"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(asked.headers["authorization"]).toBe("Bearer secret");
    expect(JSON.parse(asked.body.toString())).toMatchObject({
      kind: "deploy",
      environment: "production",
      snapshot: sha("snapshot"),
      message: "a note",
      timeoutMs: 90_000,
      runtime: "docker",
      manifest: { text: manifest, file: "helix.yaml" },
    });
  });

  it("takes the result from the verdict, where that has it, and reads no log that nobody is shown", async () => {
    const outcome = result("live");
    const events: Handler = (_, response) =>
      stream(response)({ id: 1, event: "deployment.live", data: { state: "live", result: outcome } });
    api = await startApi(routes({}, { "GET /v1/deployments/dep_1/events": events }));
    const { documents } = await run(["deploy", "--json"], project());
    expect(documents).toMatchObject([{ ok: true, release: (outcome as { release: unknown }).release }]);
    const asked = api.seen.map(({ method, path }) => `${method} ${path}`);
    expect(asked.slice(asked.indexOf("POST /v1/deployments"))).toEqual(["POST /v1/deployments", "GET /v1/deployments/dep_1/events"]);
  });

  const ends: [status: string, error: object | null, exit: number, code: string][] = [
    [
      "failed",
      {
        code: "HEALTH_FAILED",
        message: "web never answered",
        hint: "listen",
        plane: "runtime",
        plugin: "process@0.1.0",
        step: "verify:web",
        logs: ["boom"],
      },
      4,
      "HEALTH_FAILED",
    ],
    ["failed", { code: "DEADLINE_PASSED", message: "too long", hint: "raise it" }, 9, "DEADLINE_PASSED"],
    [
      "failed",
      {
        code: "POLICY_DENIED",
        message: "no",
        hint: "fix it",
        findings: [{ rule: "r", level: "mandatory", message: "no", path: "services.web", file: "helix.yaml", line: 3, fix: "do" }],
      },
      5,
      "POLICY_DENIED",
    ],
    ["failed", { code: "A_NEWER_CODE", message: "from the future", hint: "look" }, 4, "A_NEWER_CODE"],
    ["cancelled", null, 8, "CANCELLED"],
    ["superseded", null, 8, "SUPERSEDED"],
  ];
  for (const [status, error, exit, code] of ends) {
    it(`that ends as ${status} (${code}) exits ${exit} with the whole error`, async () => {
      api = await startApi(routes(result(status, { error })));
      const run_ = await run(["deploy", "--json"], project());
      expect(run_.exit).toBe(exit);
      expect(run_.documents).toHaveLength(1);
      expect(run_.documents[0]).toMatchObject({ ok: false, error: { code, ...error }, deployment: { id: "dep_1", status } });
    });
  }

  it("tells a person what, where, the last lines and what to do", async () => {
    api = await startApi(routes(result("failed", { error: ends[0]![1] })));
    const { stdout, stderr } = await run(["deploy"], project());
    expect(stdout).toBe("");
    expect(stderr).toContain(
      "error[HEALTH_FAILED]: web never answered\n  where  step verify:web, plane runtime, plugin process@0.1.0\n  last lines\n  | boom\n  help   listen\n",
    );
  });

  it("goes on through a control plane that is killed in the middle", async () => {
    let opened = 0;
    api = await startApi(
      routes(result("live"), {
        "GET /v1/deployments/dep_1/events": ({ headers }, response) => {
          const send = stream(response);
          if (opened++ === 0) {
            send({ id: 1, event: "step.started", data: { step: "build:web", kind: "build", service: "web" } });
            setTimeout(() => void api.kill().then(() => setTimeout(() => void api.restart(), 700)), 50);
          } else {
            expect(headers["last-event-id"]).toBe("1");
            send({ id: 2, event: "deployment.live", data: {} });
          }
        },
      }),
    );
    const { exit, documents, stderr } = await run(["deploy", "--json"], project());
    expect(exit, stderr).toBe(0);
    expect(documents[0]).toMatchObject({ ok: true, deployment: { status: "live" } });
    expect(opened).toBe(2);
  });

  it("that is answered by nothing but a broken connection is asked again under the same key", async () => {
    let asked = 0;
    api = await startApi(
      routes(result("live"), {
        "POST /v1/deployments": (_, response) =>
          asked++ === 0 ? void response.destroy() : json(response, { id: "dep_1", status: "queued" }, 202),
      }),
    );
    const { exit } = await run(["deploy", "--json"], project());
    expect(exit).toBe(0);
    const keys = api.seen
      .filter(({ method, path }) => method === "POST" && path === "/v1/deployments")
      .map(({ headers }) => headers["idempotency-key"]);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it("--detach returns once it is recorded", async () => {
    api = await startApi(routes(result("live")));
    const { exit, documents } = await run(["deploy", "--detach", "--json"], project());
    expect({ exit, documents }).toMatchObject({ exit: 0, documents: [{ ok: true, deployment: { id: "dep_1" } }] });
    expect(api.seen.some(({ path }) => path.endsWith("/events"))).toBe(false);
  });

  it("Ctrl-C stops waiting only: exit 130, and how to go on", async () => {
    api = await startApi(
      routes(result("running"), {
        "GET /v1/deployments/dep_1/events": (_, response) => {
          stream(response)({ id: 1, event: "deployment.running", data: {} });
          setTimeout(() => child.kill("SIGINT"), 100);
        },
      }),
    );
    const child = startHelix(["deploy", "--json"], { cwd: project(), env: { HELIX_URL: api.url } });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: "DETACHED", hint: expect.stringMatching(/helix status --wait dep_1.*helix cancel dep_1/) },
      deployment: { id: "dep_1" },
    });
    expect(api.seen.some(({ path }) => path.endsWith("/cancel"))).toBe(false);
  });

  it("passes on what the control plane refuses", async () => {
    api = await startApi(
      routes(result("live"), {
        "POST /v1/deployments": (_, response) =>
          problem(response, { status: 422, code: "MANIFEST_INVALID", detail: "helix.yaml:3:5: unknown key", hint: "mend it" }),
      }),
    );
    const { exit, documents } = await run(["deploy", "--json"], project());
    expect({ exit, documents }).toMatchObject({
      exit: 2,
      documents: [{ ok: false, error: { code: "MANIFEST_INVALID", message: "helix.yaml:3:5: unknown key", hint: "mend it" } }],
    });
  });

  it("without a token where one is needed exits 3", async () => {
    api = await startApi(
      routes(result("live"), {
        "POST /v1/plane/up": (_, response) => problem(response, { status: 401, code: "TOKEN_MISSING", detail: "a token is needed" }),
      }),
    );
    expect(await run(["deploy", "--json"], project())).toMatchObject({
      exit: 3,
      documents: [{ ok: false, error: { code: "TOKEN_MISSING" } }],
    });
  });
});

describe("a large file", () => {
  it("is streamed, not held in memory", async () => {
    const cwd = project();
    const size = 400_000_000;
    ftruncateSync(openSync(join(cwd, "big.bin"), "w"), size);
    let peak = 0;
    api = await startApi(
      routes(result("live"), {
        "POST /v1/deployments": (_, response) => {
          peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]);
          json(response, { id: "dep_1", status: "queued" }, 202);
        },
      }),
    );
    const child = startHelix(["deploy", "--json"], { cwd, env: { HELIX_URL: api.url } });
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    const sent = api.seen.find(({ method, body }) => method === "PUT" && body.toString().startsWith(`${size} `))!;
    expect(sent.path).toBe(`/v1/blobs/${sent.body.toString().split(" ")[1]}`);
    expect(peak).toBeLessThan(250_000);
  }, 60_000);
});

describe("status --wait", () => {
  it("prints deploy's document and exits as deploy would have", async () => {
    api = await startApi(routes(result("failed", { error: { code: "BUILD_FAILED", message: "no", hint: "mend" } })));
    const { exit, documents } = await run(["status", "--wait", "dep_1", "--json"], project());
    expect({ exit, documents }).toMatchObject({
      exit: 4,
      documents: [{ ok: false, error: { code: "BUILD_FAILED" }, deployment: { id: "dep_1", status: "failed" } }],
    });
  });

  it("gives up after --timeout with exit 9, the deployment goes on", async () => {
    api = await startApi(routes(result("running"), { "GET /v1/deployments/dep_1/events": (_, response) => void stream(response) }));
    const { exit, documents } = await run(["status", "--wait", "dep_1", "--timeout", "300ms", "--json"], project());
    expect({ exit, documents }).toMatchObject({ exit: 9, documents: [{ ok: false, error: { code: "WAIT_TIMEOUT" } }] });
  });
});
