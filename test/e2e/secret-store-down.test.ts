import { spawnSync } from "node:child_process";
import { access, chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vaultPolicy } from "../../packages/core/src/domain/vault-policy.ts";
import { type VaultServer, startVault, vaultProgram } from "../../packages/core/test/secrets/vault-server.ts";
import { type Plane, eventually, get, kill, makePlane, makeProject } from "./support/plane.ts";

const SERVER = `
  const http = require("node:http");
  http.createServer((req, res) => (req.url === "/crash" ? process.exit(3) : res.end(process.env.PASSWORD))).listen(process.env.PORT);
`;
const MANIFEST = "project: vaulted\nservices: { web: { build: node, start: node server.js, secrets: [PASSWORD] } }\n";
/** A build that waits until somebody opens the gate: what is done meanwhile is done in the middle of a deploy. */
const build = (gate: string) => `
  const fs = require("node:fs");
  fs.writeFileSync("${gate}/waiting", "");
  const timer = setInterval(() => fs.existsSync("${gate}/open") && clearInterval(timer), 20);
`;

interface Seen {
  readonly what: string;
  readonly when: string;
  readonly said: string;
  readonly exit: number;
  readonly seconds: string;
}

describe.skipIf(vaultProgram === null)("with Vault (needs the program vault)", () => {
  let vault: VaultServer;
  let plane: Plane;
  let gate: string;
  let app: Awaited<ReturnType<typeof makeProject>>;
  let address: { host: string; port: number };
  let role: { roleId: string; secretId: string };
  const seen: Seen[] = [];
  const helix = (args: readonly string[], input?: string) => plane.helix(args, { cwd: app.folder, ...(input !== undefined && { input }) });
  let edits = 0;
  const edit = () => app.write("server.js", `${SERVER}// ${edits++}`);
  const open = () => writeFile(join(gate, "open"), "");
  /** A deploy of changed source. */
  const deploy = async () => {
    await edit();
    return helix(["deploy"]);
  };
  /** A deploy of changed source that something happens to while it builds: what it said, and how long after. */
  const deployThrough = async (happens: () => Promise<unknown> | void) => {
    for (const name of ["open", "waiting"]) await rm(join(gate, name), { force: true });
    const deployed = deploy();
    await eventually("the build waits", () => access(join(gate, "waiting")).then(() => true), { forMs: 30_000 });
    await happens();
    const began = performance.now();
    await open();
    return { ...(await deployed), ms: performance.now() - began };
  };
  const connect = async (credential: object) => {
    await helix(["secrets", "setup-vault", "--connect", "--address", vault.address], JSON.stringify(credential));
    await helix(["down", "--control"]);
    await helix(["secrets", "ls"]);
  };
  const serves = () =>
    eventually("the application answers", async () => (await get(address)).text, { holds: (text) => text === "pass-from-vault" });
  /** What runs answers, and is back after a crash. */
  const untouched = async () => {
    expect((await get(address)).text).toBe("pass-from-vault");
    await get(address, "/crash").catch(() => undefined);
    await serves();
  };
  const refused = (what: string, when: string, run: { json: any; exit: number; ms: number }, expected: { code: string; says: RegExp }) => {
    const { error } = run.json;
    expect(error, what).toMatchObject({
      code: expected.code,
      message: expect.stringMatching(expected.says),
      hint: expect.stringContaining("What runs is not affected"),
    });
    expect(run.exit).toBe(1);
    expect(run.ms, `${what}: it took ${Math.round(run.ms)} ms`).toBeLessThan(5_000);
    seen.push({ what, when, said: `${error.code}: ${error.message}. ${error.hint}`, exit: run.exit, seconds: (run.ms / 1000).toFixed(1) });
  };

  beforeAll(async () => {
    [vault, plane] = [await startVault(), await makePlane()];
    gate = await mkdtemp(join(tmpdir(), "helix-gate-"));
    // Builds may run as a user of their own.
    await chmod(gate, 0o777);
    await open();
    const files = {
      "helix.yaml": MANIFEST,
      "package.json": JSON.stringify({ scripts: { build: "node build.js" } }),
      "build.js": build(gate),
    };
    app = await makeProject({ ...files, "server.js": SERVER });
    await mkdir(join(plane.home, "keys"), { recursive: true, mode: 0o700 });
    const { json } = await helix(["secrets", "setup-vault"]);
    expect(json.policy).toBe(vaultPolicy({ mount: "secret", prefix: "helix", organization: json.organization, project: null }));
    const { wrapped, ...plain } = await vault.makeRole("helix", { policy: json.policy });
    role = plain;
    await connect({ roleId: role.roleId, wrappedSecretId: wrapped });
    await helix(["secrets", "set", "PASSWORD"], "pass-from-vault");
    const first = await deploy();
    expect(first.json.ok, JSON.stringify(first.json)).toBe(true);
    address = first.json.services[0].address;
  });
  afterAll(async () => {
    console.log(
      ["what happened | when | what a user sees | exit | after", ...seen.map((row) => Object.values(row).join(" | "))].join("\n"),
    );
    await plane?.remove();
    await vault?.remove();
    await app?.remove();
    if (gate) await rm(gate, { recursive: true, force: true });
  });

  const rows: { name: string; hurt: () => Promise<unknown> | void; heal: () => Promise<unknown> | void; code: string; says: RegExp }[] = [
    {
      name: "sealed",
      hurt: () => vault.request("PUT", "sys/seal"),
      heal: () => vault.unseal(),
      code: "SECRET_STORE_DOWN",
      says: /is sealed/,
    },
    { name: "slow", hurt: () => vault.freeze(), heal: () => vault.thaw(), code: "SECRET_STORE_DOWN", says: /did not answer within/ },
    {
      name: "killed",
      hurt: () => vault.kill(),
      heal: async () => {
        await vault.start();
        await vault.unseal();
      },
      code: "SECRET_STORE_DOWN",
      says: /does not answer/,
    },
    {
      name: "token revoked",
      hurt: async () => {
        const { token } = JSON.parse(await readFile(join(plane.home, "keys/vault.json"), "utf8")) as { token: string };
        await vault.request("POST", "auth/token/revoke", { body: { token } });
      },
      heal: () => connect(role),
      code: "SECRET_STORE_DENIED",
      says: /refuses to/,
    },
  ];
  it.each(rows)(
    "$name in the middle of a deploy, and before one: it is refused with the cause and the fix, and what runs notices nothing",
    async ({ name, hurt, heal, code, says }) => {
      if (code === "SECRET_STORE_DENIED") {
        const { json } = await vault.request("POST", "auth/token/create", { body: { policies: ["helix"], ttl: "10m" } });
        await connect({ token: json.auth.client_token });
      }
      refused(name, "in the middle", await deployThrough(hurt), { code, says });
      await untouched();
      await edit();
      const began = performance.now();
      const before = await helix(["deploy"]);
      refused(name, "before", { ...before, ms: performance.now() - began }, { code, says });
      await untouched();
      await heal();
      const { json } = await deploy();
      expect(json.ok, JSON.stringify(json.error)).toBe(true);
    },
  );

  it("an AppRole's token that is revoked in the middle of a deploy is replaced unnoticed", async () => {
    const { json } = await deployThrough(() => vault.request("PUT", "sys/leases/revoke-prefix/auth/approle", { body: {} }));
    expect(json.ok, JSON.stringify(json.error)).toBe(true);
    seen.push({ what: "AppRole's token revoked", when: "in the middle", said: "nothing: it goes live", exit: 0, seconds: "-" });
  });

  it("after a restart of the machine without the store, services say what they wait for and come back by themselves once it answers", async () => {
    await vault.kill();
    await endOfMachine();
    await helix(["server", "--detach"]);
    const { json } = await helix(["status"]);
    expect(json.services[0].status).toBe("down");
    await eventually("the log says what they wait for", async () => /wait for the secret store/.test(await controlLog()));
    await vault.start();
    await vault.unseal();
    await eventually("the service is back", async () => (await get(address)).text, {
      forMs: 30_000,
      holds: (text) => text === "pass-from-vault",
    });
  });

  /** Everything of this home is gone, and so is what it had in memory. */
  async function endOfMachine(): Promise<void> {
    for (const { pid } of await plane.processes()) kill(pid);
    await eventually("nothing runs", async () => (await plane.processes()).length === 0);
    for (const name of (await readdir("/dev/shm")).filter((one) => one.startsWith("helix-"))) {
      const inside = spawnSync("grep", ["-rlF", "pass-from-vault", join("/dev/shm", name)]).stdout.toString();
      if (inside !== "") await rm(join("/dev/shm", name), { recursive: true });
    }
  }

  async function controlLog(): Promise<string> {
    const folder = join(plane.home, "data/supervisor/logs");
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const own = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => path.slice(folder.length).includes("control"));
    return (await Promise.all(own.map((path) => readFile(path, "utf8")))).join("");
  }
});
