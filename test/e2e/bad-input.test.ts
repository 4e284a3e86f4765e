import { readFile, readdir, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { get, makePlane, makeProject, takePort, type Plane } from "./support/plane.ts";

// Each bad input: a clear error that says what, where, why and what to do, or a completed deploy; the old release goes on.

const good = `require("node:http").createServer((req, res) => res.end("good")).listen(process.env.PORT);`;
const manifest = "project: bad\nservices:\n  web:\n    build: node\n    start: node server.js\n";
type Project = Awaited<ReturnType<typeof makeProject>>;

let plane: Plane;
let project: Project;

beforeAll(async () => {
  plane = await makePlane();
  project = await makeProject({ "helix.yaml": manifest, "server.js": good, "package.json": "{}" });
  const { exit, stderr } = await plane.helix(["deploy"], { cwd: project.folder });
  expect(exit, stderr).toBe(0);
});
afterEach(async () => {
  await project.write("helix.yaml", manifest);
  await project.write("server.js", good);
  await project.write("package.json", "{}");
  const { json } = await plane.helix(["status"], { cwd: project.folder });
  expect(json.services[0]).toMatchObject({ name: "web", status: "live" });
  expect((await get(json.services[0].address)).text).toBe("good");
  expect(json.services[0].revisions.filter((one: { state: string }) => one.state === "serving")).toHaveLength(1);
});
afterAll(async () => {
  await plane.remove();
  await project.remove();
});

/** The most memory that a process has had, bytes; 0 once it is gone. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

const deploy = () => plane.helix(["deploy"], { cwd: project.folder });

describe("the manifest", () => {
  it("with a typo: file, line, column and what was meant", async () => {
    await project.write("helix.yaml", manifest.replace("start:", "strat:"));
    const { exit, json } = await deploy();
    expect(exit).toBe(2);
    expect(json.error.code).toBe("MANIFEST_INVALID");
    expect(json.error.message).toContain("helix.yaml:5:5");
    expect(json.error.message).toContain('"start"');
  });

  it("with a project name that is not one", async () => {
    await project.write("helix.yaml", manifest.replace("project: bad", "project: Not A Name!"));
    const { exit, json } = await deploy();
    expect(exit).toBe(2);
    expect(json.error.message).toContain("helix.yaml:1:10");
  });

  it("with plugins that do not fit together: refused before anything happens", async () => {
    await project.write("helix.yaml", manifest.replace("build: node", "build: dockerfile"));
    await project.write("Dockerfile", "FROM scratch\n");
    const { exit, json } = await deploy();
    expect(exit).toBe(2);
    expect(json.error).toMatchObject({ code: "CHAIN_UNFIT" });
    expect(json.error.message).toMatch(/dockerfile.*oci-image.*process/);
  });

  it("that is not there", async () => {
    const empty = await makeProject({});
    const { exit, json } = await plane.helix(["deploy"], { cwd: empty.folder });
    await empty.remove();
    expect(exit).toBe(2);
    expect(json.error.code).toBe("MANIFEST_NOT_FOUND");
  });
});

describe("the application", () => {
  it("whose build fails: the command and its last lines", async () => {
    await project.write(
      "package.json",
      JSON.stringify({ scripts: { build: "node -e \"console.error('no such module'); process.exit(7)\"" } }),
    );
    const { exit, json } = await deploy();
    expect(exit).toBe(4);
    expect(json.error).toMatchObject({ code: "BUILD_FAILED", plane: "build", step: "build:web" });
    expect(json.error.plugin).toMatch(/^node@/);
    expect(json.error.logs.join("\n")).toContain("no such module");
  });

  it("whose start command ends", async () => {
    await project.write("server.js", `console.log("bye"); process.exit(0);`);
    const { exit, json } = await deploy();
    expect(exit).toBe(4);
    expect(json.error.logs.join("\n")).toContain("bye");
  });

  it("whose start command is not there", async () => {
    await project.write("helix.yaml", manifest.replace("node server.js", "no-such-program --flag"));
    const { exit, json } = await deploy();
    expect(exit).toBe(4);
    expect(json.error.message).toContain("no-such-program");
  });

  it("that never becomes healthy: what was seen last, and its log", async () => {
    await project.write("server.js", `console.log("listening to nobody"); setInterval(() => {}, 1000);`);
    await project.write("helix.yaml", `${manifest}    health: { timeout: 2s }\n`);
    const { exit, json } = await deploy();
    expect(exit).toBe(4);
    expect(json.error).toMatchObject({ code: "HEALTH_FAILED", step: "verify:web" });
    expect(json.error.logs.join("\n")).toContain("listening to nobody");
  });

  it("that answers its health path with an error", async () => {
    await project.write(
      "server.js",
      `require("node:http").createServer((q, s) => { s.statusCode = 404; s.end(); }).listen(process.env.PORT);`,
    );
    await project.write("helix.yaml", `${manifest}    health: { path: /health, timeout: 2s }\n`);
    const { exit, json } = await deploy();
    expect(exit).toBe(4);
    expect(json.error.message).toContain("404");
  });

  it("whose task fails: nothing is switched, and the task is named", async () => {
    await project.write("helix.yaml", `${manifest}    tasks: { migrate: node migrate.js }\n`);
    await project.write("migrate.js", `console.error("table is locked"); process.exit(2);`);
    const { exit, json } = await deploy();
    expect(exit).toBe(4);
    expect(json.error).toMatchObject({ code: "TASK_FAILED", step: "task:web:migrate" });
    expect(json.error.logs.join("\n")).toContain("table is locked");
  });

  it("that takes longer than the deployment's deadline: exit 9", async () => {
    await project.write("server.js", `setInterval(() => {}, 1000);`);
    const { exit, json } = await plane.helix(["deploy", "--timeout", "2s"], { cwd: project.folder });
    expect(exit).toBe(9);
    expect(json.error.code).toBe("DEADLINE_PASSED");
  });
});

describe("the source", () => {
  it("with a symlink that points outside: refused by name", async () => {
    await symlink("/etc/passwd", join(project.folder, "outside"));
    const { exit, json } = await deploy();
    await rm(join(project.folder, "outside"));
    expect(exit).toBe(2);
    expect(json.error).toMatchObject({ code: "SOURCE_INVALID" });
    expect(json.error.message).toContain("outside");
  });
});

it("two gigabytes: refused by the limit, with the file that is too much, in bounded memory", async () => {
  const big = join(project.folder, "dump.sql");
  await writeFile(big, "");
  await truncate(big, 2 * 2 ** 30);
  const control = (await plane.helix(["status"])).json.processes.find(({ role }: { role: string }) => role === "control").pid;
  const before = await peakMemory(control);
  const child = plane.spawnHelix(["deploy"], { cwd: project.folder });
  let peak = 0;
  const watch = setInterval(() => void peakMemory(child.pid!).then((bytes) => (peak = Math.max(peak, bytes))), 20);
  const { exit, json } = await plane.finish(child);
  clearInterval(watch);
  await rm(big);
  expect(exit).toBe(2);
  expect(json.error).toMatchObject({ code: "SOURCE_TOO_LARGE", hint: expect.stringContaining(".helixignore") });
  expect(json.error.message).toMatch(/larger than the 1024 MiB .*dump\.sql \(2\.1 GB\)/);
  expect(peak).toBeGreaterThan(0);
  expect(peak).toBeLessThan(250 * 2 ** 20);
  expect((await peakMemory(control)) - before).toBeLessThan(100 * 2 ** 20);
});

it("a token that is missing, mistyped or revoked: exit 3, and with a good one another home can do all", async () => {
  const elsewhere = await makeProject({});
  const { url } = (await plane.helix(["status"])).json.plane;
  const { token } = (await plane.helix(["token", "create", "ci"])).json;
  const from = (env: Record<string, string>, args = ["status"]) =>
    plane.helix(args, { cwd: project.folder, env: { HELIX_HOME: join(elsewhere.folder, "none"), HELIX_URL: url, ...env } });
  expect(await from({})).toMatchObject({ exit: 3, json: { error: { code: "TOKEN_MISSING" } } });
  expect(await from({ HELIX_TOKEN: `${token}x` })).toMatchObject({ exit: 3, json: { error: { code: "TOKEN_INVALID" } } });
  const far = await from({ HELIX_TOKEN: token });
  expect(far).toMatchObject({ exit: 0, json: { services: [{ name: "web", status: "live" }], plane: { running: true, url, home: null } } });
  expect(await from({ HELIX_TOKEN: token }, ["deploy"])).toMatchObject({ exit: 0, json: { deployment: { status: "live" } } });
  const own = (await plane.helix(["token", "create", "own", "--project", "bad"])).json.token;
  expect(await from({ HELIX_TOKEN: own }, ["status"])).toMatchObject({ exit: 0, json: { services: [{ status: "live" }] } });
  expect(await from({ HELIX_TOKEN: own }, ["rollback"])).toMatchObject({ exit: 0, json: { ok: true } });
  await plane.helix(["token", "revoke", "ci"]);
  expect(await from({ HELIX_TOKEN: token }, ["deploy"])).toMatchObject({ exit: 3, json: { error: { code: "TOKEN_INVALID" } } });
  // Nothing was started or kept there.
  expect(await readdir(elsewhere.folder)).toEqual([]);
  await elsewhere.remove();
});

it("two deploys at once: one after the other, both end", async () => {
  await project.write("server.js", good.replace("good", "good"));
  const runs = await Promise.all([deploy(), deploy(), deploy()]);
  for (const { json } of runs) {
    if (json.ok) expect(json.deployment.status).toBe("live");
    else expect(json.error.code).toBe("SUPERSEDED");
  }
  expect(runs.some(({ json }) => json.ok)).toBe(true);
});

it("a port that is taken is stepped around", async () => {
  const other = await makePlane();
  const release = await takePort(4400).catch(() => async () => undefined);
  const { exit, json } = await other.helix(["deploy"], { cwd: project.folder });
  await release();
  expect(exit).toBe(0);
  expect((await get(json.services[0].address)).text).toBe("good");
  await other.remove();
});
