import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { opa } from "../guardrails/support/opa.ts";
import { baseImage } from "./support/base-image.ts";
import { dumpLedger } from "./support/ledger.ts";
import { type Plane, get, makePlane, makeProject } from "./support/plane.ts";

// A denial that teaches: through the real command, control plane and ledger.

const { Ajv2020 } = createRequire(new URL("../../packages/core/package.json", import.meta.url))("ajv/dist/2020.js") as {
  Ajv2020: new (options: object) => { compile(schema: object): ((input: unknown) => boolean) & { readonly errors?: unknown } };
};
const server = `
  require("node:http").createServer((req, res) => res.end("hello")).listen(process.env.PORT);
`;
const careless = (maturity: string, more = "") => `project: shop
services:
  web:
    source: .
    build: node
    runtime: process
    start: node server.js
${more}guardrails: { maturity: ${maturity} }
`;
const careful = `    health: { path: / }
    resources: { memory: 256Mi }
    labels: { owner: shop-team }
`;
const secret = ["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"].join("");

let plane: Plane;
let project: Awaited<ReturnType<typeof makeProject>>;
const helix = (args: readonly string[], options: { env?: Record<string, string>; human?: boolean } = {}) =>
  plane.helix(args, { cwd: project.folder, ...options });
const fault = (json: { error?: { details?: { fault?: string } } }) => json.error?.details?.fault;

beforeAll(async () => {
  plane = await makePlane();
  project = await makeProject({ "helix.yaml": careless("production"), "server.js": server, "package.json": "{}" });
});
afterAll(async () => {
  await plane.remove();
  await project.remove();
});

describe("a deploy that breaks three rules", () => {
  it("is refused with exit 5, and each finding says rule, level, place, line and fix", async () => {
    const { exit, json } = await helix(["deploy"]);
    expect(exit).toBe(5);
    expect(json).toMatchObject({ ok: false, error: { code: "POLICY_DENIED", step: "policy-plan" } });
    expect(json.error.findings.map((one: { rule: string }) => one.rule).toSorted()).toEqual([
      "health-check",
      "memory-limit",
      "owner-present",
    ]);
    for (const finding of json.error.findings) {
      expect(Object.keys(finding).toSorted()).toEqual(["file", "fix", "level", "line", "message", "path", "rule"]);
      expect(finding).toMatchObject({
        level: "mandatory",
        file: "helix.yaml",
        line: 3,
        path: expect.stringMatching(/^services\.web\./),
        fix: expect.stringMatching(/^Add /),
      });
    }
  });

  it("is shown to a person with the place and the fix, and explained rule by rule", async () => {
    const { exit, stderr } = await helix(["deploy"], { human: true });
    expect(exit).toBe(5);
    expect(stderr).toContain("helix.yaml:3");
    expect(stderr).toContain("Add `health: { path: /health }` to services.web.");
    const { stdout } = await helix(["policy", "explain"], { human: true });
    for (const part of [
      "guardrails/production@1.0.0",
      "needed",
      "found",
      "services.web.health.path",
      "helix.yaml:3",
      "none: it is mandatory",
    ])
      expect(stdout).toContain(part);
  });

  it("is refused by a plan as well, which stores nothing", async () => {
    const before = await dumpLedger(plane.home);
    const { exit, json } = await helix(["plan"]);
    expect(exit).toBe(5);
    expect(json.error.findings).toHaveLength(3);
    expect(await dumpLedger(plane.home)).toBe(before);
  });

  it("is live once the fixes are made", async () => {
    await project.write("helix.yaml", careless("production", careful));
    const { exit, json, stderr } = await helix(["deploy"]);
    expect(exit, stderr).toBe(0);
    expect(json.findings.filter(({ level }: { level: string }) => level !== "advisory")).toEqual([]);
    expect((await get(json.services[0].address)).text).toBe("hello");
  });
});

describe("the default maturity", () => {
  it("never refuses what init wrote, and advises", async () => {
    const fresh = await makeProject({ "server.js": server, "package.json": "{}" });
    try {
      expect((await plane.helix(["init", "--yes", "--name", "fresh"], { cwd: fresh.folder })).exit).toBe(0);
      const { exit, json, stderr } = await plane.helix(["deploy"], { cwd: fresh.folder });
      expect(exit, stderr).toBe(0);
      expect(json.findings.map(({ rule, level }: { rule: string; level: string }) => `${rule} ${level}`)).toContain(
        "health-check advisory",
      );
    } finally {
      await fresh.remove();
    }
  });

  it("refuses a secret that was written down, and keeps it out of the decision's record", async () => {
    await project.write("helix.yaml", careless("mvp", `    env: { GITHUB: "${secret}" }\n`));
    const { exit, json } = await helix(["plan"]);
    expect(exit).toBe(5);
    expect(json.error.findings.find(({ rule }: { rule: string }) => rule === "env-known-secret")).toMatchObject({
      line: 8,
      path: "services.web.env.GITHUB",
    });
    expect(JSON.stringify(json.error)).not.toContain(secret);
    const { json: refused } = await helix(["deploy"]);
    const connection = JSON.parse(await readFile(join(plane.home, "run/control.json"), "utf8")) as { url: string };
    const { token } = (await helix(["token", "create", "reader"])).json as { token: string };
    const answer = await fetch(`${connection.url}/v1/deployments/${refused.deployment.id}/decisions?input=true`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const text = await answer.text();
    expect(answer.status, text).toBe(200);
    expect(text).toContain("[masked: GitHub token]");
    expect(text).not.toContain(secret);
  });
});

describe("a waiver", () => {
  it("counts when somebody else left it", async () => {
    await project.write("helix.yaml", careless("staging", `    health: { path: / }\n    labels: { owner: shop-team }\n`));
    const refused = await helix(["deploy"]);
    expect(refused.exit).toBe(5);
    expect(refused.json.error.findings).toMatchObject([{ rule: "memory-limit", level: "soft-mandatory" }]);
    const waive = ["policy", "waive", "memory-limit", "--for", "1h", "--reason", "measured tomorrow"];
    expect((await helix(waive)).exit).toBe(0);
    expect((await helix(["deploy"])).exit).toBe(5);
    const { json: lead } = await helix(["token", "create", "lead"]);
    const { url } = JSON.parse(await readFile(join(plane.home, "run/control.json"), "utf8")) as { url: string };
    expect((await helix(waive, { env: { HELIX_URL: url, HELIX_TOKEN: lead.token } })).exit).toBe(0);
    const { exit, json, stderr } = await helix(["deploy"]);
    expect(exit, stderr).toBe(0);
    expect(json.findings.map(({ message }: { message: string }) => message).join()).toMatch(/waived by lead until .*: measured tomorrow/);
  });

  it("is refused for a rule that cannot be waived", async () => {
    const { exit, json } = await helix(["policy", "waive", "replica-bounds", "--for", "1h", "--reason", "x"]);
    expect(exit).toBe(2);
    expect(json.error.message).toContain("cannot be waived");
  });
});

describe("what policies are given", () => {
  const hasDocker = new Docker({ socketPath: "/var/run/docker.sock" }).ping().then(
    () => true,
    () => false,
  );

  it("fits the published schema in real deploys by every builder, and in a rollback; a destroy asks nothing", async () => {
    const isImageBuilt = await hasDocker;
    const image = isImageBuilt ? "  image: { source: image, build: dockerfile, runtime: docker }\n" : "";
    const real = await makeProject({ "server.js": server, "package.json": "{}" });
    try {
      for (const folder of ["site", "image"]) await mkdir(join(real.folder, folder));
      await real.write("site/index.html", "<h1>hello</h1>");
      await real.write("image/server.js", server);
      if (isImageBuilt) await real.write("image/Dockerfile", `FROM ${await baseImage()}\nCOPY server.js /\nCMD ["node", "/server.js"]\n`);
      const manifest = (greeting: string) => `project: real
services:
  web: { build: node, start: node server.js, env: { GREETING: ${greeting} }, labels: { owner: shop-team } }
  site: { source: site, build: static }
${image}`;
      const run = (args: readonly string[]) => plane.helix(args, { cwd: real.folder });
      await real.write("helix.yaml", manifest("one"));
      const first = await run(["deploy"]);
      expect(first.json.ok, first.stdout).toBe(true);
      await real.write("helix.yaml", manifest("two"));
      expect((await run(["deploy"])).json.ok).toBe(true);
      expect((await run(["rollback", first.json.release.id])).json.ok).toBe(true);
      expect((await run(["destroy", "--yes"])).json.ok).toBe(true);
      const { json } = await run(["ls"]);
      const all = (await Promise.all((json.deployments as { id: string }[]).map(({ id }) => decisionsOf(id)))).flat();
      const kinds = all.map(({ input, point }) => `${input.deployment.kind} ${point}`);
      expect(kinds.toSorted()).toEqual(
        ["plan", "artifact", "release"].flatMap((point) => [`deploy ${point}`, `deploy ${point}`, `rollback ${point}`]).toSorted(),
      );
      const schema = JSON.parse(await readFile(new URL("../../schemas/policy-input.json", import.meta.url), "utf8")) as object;
      const fits = new Ajv2020({ allErrors: true, strict: false }).compile(schema);
      for (const { input } of all) expect(fits(input) ? [] : fits.errors, JSON.stringify(input)).toEqual([]);
      // It is the schema that decides here: a member that it does not know is refused.
      expect(fits({ ...all[0]!.input, unheardOf: true })).toBe(false);
      const built = Object.values(all.find(({ point }) => point === "release")!.input.artifacts as Record<string, { kind: string }>);
      expect(built.map(({ kind }) => kind).toSorted()).toEqual(["node-bundle", ...(isImageBuilt ? ["oci-image"] : []), "static-site"]);
    } finally {
      await real.remove();
    }
  });

  async function decisionsOf(deployment: string): Promise<readonly { point: string; input: any }[]> {
    const { url } = JSON.parse(await readFile(join(plane.home, "run/control.json"), "utf8")) as { url: string };
    const token = (await readFile(join(plane.home, "keys/local-token"), "utf8")).trim();
    const answer = await fetch(`${url}/v1/deployments/${deployment}/decisions?input=true`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { items } = (await answer.json()) as { items: readonly { point: string; input: any }[] };
    return items;
  }
});

describe("bundles", () => {
  it("one that cannot be believed refuses everything, exit 5", async () => {
    const policies = join(plane.home, "policies");
    await mkdir(policies, { recursive: true });
    const shipped = await readFile(new URL("../../guardrails/bundles/mvp.tar.gz", import.meta.url));
    await writeFile(join(policies, "foreign.tar.gz"), shipped);
    const { exit, json } = await helix(["deploy"]);
    expect(exit).toBe(5);
    expect(json.error.code).toBe("POLICY_UNAVAILABLE");
    expect(fault(json)).toBe("wrong-key");
    const { json: listed } = await helix(["policy", "ls"]);
    expect(listed.problems).toMatchObject([{ isKept: false, error: { code: "POLICY_UNAVAILABLE" } }]);
    await rm(join(policies, "foreign.tar.gz"));
    expect((await helix(["plan"])).exit).toBe(0);
  });

  it("says how to get opa where it is missing", async () => {
    await helix(["policy", "init", "pack"]);
    const { exit, json } = await helix(["policy", "test", "pack"], { env: { HELIX_OPA: "/nowhere/opa" } });
    expect(exit).toBe(1);
    expect(json.error).toMatchObject({
      code: "OPA_MISSING",
      hint: expect.stringContaining("go install github.com/open-policy-agent/opa@"),
    });
  });

  describe.skipIf(!opa)("of one's own (need the program opa)", () => {
    it("are tested, tried on the past, built from Rego v0 in conftest's layout, and in force at the next deploy", async () => {
      expect((await helix(["policy", "test", "pack"])).json).toMatchObject({ ok: true, failed: 0, coverage: 100 });
      await mkdir(join(project.folder, "old"));
      await project.write(
        "old/old.rego",
        `package main\n\ndeny[msg] {\n  input.services.web.start == "node server.js"\n  msg := "start it with npm"\n}\n`,
      );
      const tried = await helix(["policy", "backtest", "old/old.rego", "--last", "200"]);
      expect(tried.json.summary.wouldBlock).toBeGreaterThanOrEqual(2);
      expect(tried.json.deployments.find((one: { before: string }) => one.before === "allowed")).toMatchObject({
        after: "refused",
        findings: [{ message: "start it with npm" }],
      });
      expect((await helix(["plan"])).exit).toBe(0);
      const built = await helix(["policy", "build", "old", "--install"]);
      expect(built.json).toMatchObject({ ok: true, rego: "v0", layout: "conftest", entrypoints: ["main/deny"] });
      const { exit, json } = await helix(["plan"]);
      expect(exit).toBe(5);
      expect(json.error.findings).toContainEqual(
        expect.objectContaining({ rule: "old/deny", level: "mandatory", message: "start it with npm" }),
      );
    });
  });
});
