import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../src/command-table.ts";
import { VERSION } from "../src/version.ts";
import { folderWith } from "./support/folder.ts";
import { emptyHome, helix, helixBin, startHelix } from "./support/helix.ts";

const manifest = "project: shop\nservices:\n  web: { build: node, start: node server.js }\n";
const inProject = () => folderWith({ "helix.yaml": manifest, "server.js": "", "package.json": "{}" });

/** The failure's shape, and nothing else on stdout. */
function expectFailure(run: Awaited<ReturnType<typeof helix>>, { code, exit }: { code: string; exit: number }) {
  expect(run.documents, run.stdout + run.stderr).toHaveLength(1);
  expect(run.documents[0]).toMatchObject({ ok: false, error: { code, message: expect.any(String), hint: expect.any(String) } });
  expect(run.exit).toBe(exit);
}

describe("every command", () => {
  for (const { name } of COMMANDS) {
    it(`${name}: an option it does not know is one JSON document, exit 2, with what was meant`, async () => {
      const run = await helix([name, "--jsno", "--json"]);
      expectFailure(run, { code: "USAGE", exit: 2 });
      expect(run.documents[0].error).toMatchObject({ message: expect.stringContaining("--jsno"), hint: expect.stringContaining("--json") });
    });

    it(`${name}: its help goes to stdout`, async () => {
      const run = await helix([name, "--help"]);
      expect(run).toMatchObject({ exit: 0, stderr: "" });
      expect(run.stdout).toContain(`Usage: helix ${name}`);
    });
  }
});

describe("without a manifest", () => {
  const needy = [
    ["plan"],
    ["deploy"],
    ["dev"],
    ["logs"],
    ["rollback"],
    ["destroy", "--yes"],
    ["rollback", "rel_1"],
    ["ls", "--file", "x.yaml"],
  ];
  for (const args of needy) {
    it(`${args.join(" ")} says so before anything starts`, async () => {
      const run = await helix([...args, "--json"], { cwd: folderWith({}) });
      if (args[0] === "logs") expectFailure(run, { code: "PLANE_DOWN", exit: 1 });
      else expectFailure(run, { code: "MANIFEST_NOT_FOUND", exit: 2 });
    });
  }
});

describe("where the plane is down", () => {
  for (const args of [["ls"], ["logs"], ["inspect"], ["inspect", "dep_1"], ["cancel", "dep_1"], ["status", "--wait"], ["worker"]]) {
    it(`${args.join(" ")} is PLANE_DOWN, exit 1`, async () => {
      expectFailure(await helix([...args, "--json"], { cwd: inProject() }), { code: "PLANE_DOWN", exit: 1 });
    });
  }

  it("status says that it is down, exit 0", async () => {
    const run = await helix(["status", "--json"], { cwd: inProject() });
    expect(run.exit).toBe(0);
    expect(run.documents).toEqual([{ ok: true, services: [], plane: { running: false, url: null, home: emptyHome }, processes: [] }]);
    const human = await helix(["status"], { cwd: inProject() });
    expect(human).toMatchObject({ exit: 0, stdout: "", stderr: expect.stringContaining("not running") });
  });

  it("doctor and down say that it is down, exit 0", async () => {
    const doctor = await helix(["doctor", "--json"]);
    expect(doctor.exit).toBe(0);
    expect(doctor.documents[0].checks).toContainEqual(
      expect.objectContaining({ name: "plane", says: expect.stringContaining("not running") }),
    );
    const home = folderWith({});
    const down = await helix(["down", "--json"], { env: { HELIX_HOME: `${home}/none` } });
    expect(down).toMatchObject({ exit: 0, documents: [{ ok: true, running: false, stopped: [] }] });
  });
});

describe("usage", () => {
  it("an unknown command is told with what was meant", async () => {
    const run = await helix(["deplyo", "--json"]);
    expectFailure(run, { code: "USAGE", exit: 2 });
    expect(run.documents[0].error.hint).toContain("deploy");
    const human = await helix(["deplyo"]);
    expect(human).toMatchObject({ exit: 2, stdout: "", stderr: expect.stringContaining("error[USAGE]: unknown command 'deplyo'") });
  });

  it("missing and superfluous arguments, wrong values", async () => {
    const cwd = inProject();
    for (const args of [
      ["cancel"],
      ["token"],
      ["token", "create"],
      ["deploy", "extra"],
      ["ls", "--limit", "many"],
      ["deploy", "--timeout", "soon"],
      ["logs", "-n", "0"],
      ["status", "--cwd", "/nowhere/at/all"],
      ["init", "--name", "Not A Name"],
    ])
      expectFailure(await helix([...args, "--json"], { cwd }), { code: "USAGE", exit: 2 });
  });

  it("destroy where nobody can be asked needs --yes", async () => {
    expectFailure(await helix(["destroy", "--json"], { cwd: inProject() }), { code: "CONFIRMATION_NEEDED", exit: 2 });
  });

  it("--json works before the command too, and -C moves", async () => {
    expectFailure(await helix(["--json", "-C", folderWith({}), "plan"]), { code: "MANIFEST_NOT_FOUND", exit: 2 });
  });

  it("an address of a control plane that is none, or that nobody may ask", async () => {
    const at = (HELIX_URL: string) => helix(["ls", "--json"], { cwd: inProject(), env: { HELIX_URL } });
    for (const url of ["nonsense", "ftp://helix.example"]) expectFailure(await at(url), { code: "USAGE", exit: 2 });
    // fetch itself refuses this port.
    expectFailure(await at("http://127.0.0.1:9"), { code: "PLANE_DOWN", exit: 1 });
  });

  it("the commands of this machine's plane refuse another plane's address", async () => {
    for (const args of [["server"], ["worker"], ["down"], ["backup", "x"], ["restore", "x"]])
      expectFailure(await helix([...args, "--json"], { env: { HELIX_URL: "http://127.0.0.1:9" } }), { code: "USAGE", exit: 2 });
  });
});

describe("help and version", () => {
  it("go to stdout", async () => {
    expect(await helix(["--version"])).toMatchObject({ exit: 0, stdout: `${VERSION}\n`, stderr: "" });
    expect(await helix(["--version", "--json"])).toMatchObject({ documents: [{ ok: true, version: VERSION }] });
    for (const args of [[], ["--help"], ["-h"]])
      expect(await helix(args)).toMatchObject({ exit: 0, stderr: "", stdout: expect.stringContaining("Usage: helix") });
    expect((await helix(["help", "deploy"])).stdout).toContain("Usage: helix deploy");
    expect(await helix(["--help", "--json"])).toMatchObject({ documents: [{ ok: true, help: expect.stringContaining("Usage: helix") }] });
  });

  it("the version is the package's", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
    expect(VERSION).toBe(version);
  });
});

describe("explain", () => {
  it("works offline, forgives spelling, and exits 6 for what is none", async () => {
    expect(await helix(["explain", "health-failed", "--json"])).toMatchObject({
      exit: 0,
      documents: [{ ok: true, code: "HEALTH_FAILED", exit: 4, hint: expect.any(String) }],
    });
    const run = await helix(["explain", "HELTH_FAILED", "--json"]);
    expectFailure(run, { code: "ERROR_NOT_FOUND", exit: 6 });
    expect(run.documents[0].error.hint).toContain("HEALTH_FAILED");
    expect((await helix(["explain", "--json"])).documents[0].errors.length).toBeGreaterThan(50);
  });
});

describe("streams", () => {
  it("a reader that goes away is no error", async () => {
    const child = startHelix(["explain"]);
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const exit = await new Promise((resolve) => child.once("close", resolve));
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  });

  it("no colours and no moving lines where there is no terminal", async () => {
    const { stdout, stderr } = await helix(["explain", "BUG"]);
    expect(stdout + stderr).not.toContain("\u001b");
  });
});

it("has the compiled code of every script, as V8 takes it", async () => {
  await helix(["--version"]);
  const bundle = fileURLToPath(new URL("../dist/bin/", import.meta.url));
  const scripts = readdirSync(bundle, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".cjs"));
  expect(scripts).toContain("commands/deploy.cjs");
  for (const name of scripts) {
    const cachedData = readFileSync(`${bundle}${name}.${process.version}-${process.arch}`);
    const { cachedDataRejected } = new Script(readFileSync(bundle + name, "latin1"), { cachedData });
    expect({ name, cachedDataRejected }).toEqual({ name, cachedDataRejected: false });
  }
});

it("starts without a line of the server", async () => {
  const bundle = new URL("../dist/bin/", import.meta.url);
  await helix(["--version"]);
  const texts = readdirSync(bundle, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, "utf8"));
  expect(texts.length).toBeGreaterThan(15);
  for (const text of texts)
    expect(text).not.toMatch(/from"(fastify|pg|bullmq|kysely|ioredis|ajv)"|require\("(fastify|pg|bullmq|kysely|ioredis|ajv)"\)/);
  expect(helixBin).toBeTruthy();
});
