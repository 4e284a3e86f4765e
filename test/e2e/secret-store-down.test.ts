import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vaultPolicy } from "../../packages/core/src/domain/vault-policy.ts";
import { type VaultServer, startVault, vaultProgram } from "../../packages/core/test/secrets/vault-server.ts";
import { type Plane, eventually, get, makePlane, makeProject } from "./support/plane.ts";

const SERVER = `
  const http = require("node:http");
  http.createServer((req, res) => (req.url === "/crash" ? process.exit(3) : res.end(process.env.PASSWORD))).listen(process.env.PORT);
`;
const MANIFEST = "project: vaulted\nservices: { web: { build: node, start: node server.js, secrets: [PASSWORD] } }\n";

describe.skipIf(vaultProgram === null)("with Vault (needs the program vault)", () => {
  let vault: VaultServer;
  let plane: Plane;
  let app: Awaited<ReturnType<typeof makeProject>>;
  let address: { host: string; port: number };
  const helix = (args: readonly string[], input?: string) => plane.helix(args, { cwd: app.folder, ...(input !== undefined && { input }) });
  let edits = 0;
  /** A deploy of changed source: what it said and how long it took. */
  const deploy = async () => {
    await app.write("server.js", `${SERVER}// ${edits++}`);
    const began = performance.now();
    const { json, exit } = await helix(["deploy"]);
    return { json, exit, ms: performance.now() - began };
  };
  const connect = async (credential: object) => {
    await helix(["secrets", "setup-vault", "--connect", "--address", vault.address], JSON.stringify(credential));
    await helix(["down", "--control"]);
    await helix(["secrets", "ls"]);
  };
  const untouched = async () => {
    expect((await get(address)).text).toBe("pass-from-vault");
    await get(address, "/crash").catch(() => undefined);
    await eventually("the crashed application is back", async () => (await get(address)).text, {
      holds: (text) => text === "pass-from-vault",
    });
  };

  beforeAll(async () => {
    [vault, plane] = [await startVault(), await makePlane()];
    app = await makeProject({ "helix.yaml": MANIFEST, "package.json": "{}", "server.js": SERVER });
    await mkdir(join(plane.home, "keys"), { recursive: true, mode: 0o700 });
    const { json } = await helix(["secrets", "setup-vault"]);
    expect(json.policy).toBe(vaultPolicy({ mount: "secret", prefix: "helix", organization: json.organization, project: null }));
    const { roleId, wrapped } = await vault.makeRole("helix", { policy: json.policy });
    await connect({ roleId, wrappedSecretId: wrapped });
    await helix(["secrets", "set", "PASSWORD"], "pass-from-vault");
    const first = await deploy();
    expect(first.json.ok, JSON.stringify(first.json)).toBe(true);
    address = first.json.services[0].address;
  });
  afterAll(async () => {
    await plane?.remove();
    await vault?.remove();
    await app?.remove();
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
  ];
  it.each(rows)(
    "$name: a deploy is refused with the cause and the fix, and what runs notices nothing",
    async ({ hurt, heal, code, says }) => {
      await hurt();
      const { json, exit, ms } = await deploy();
      await heal();
      expect(json.error).toMatchObject({
        code,
        message: expect.stringMatching(says),
        hint: expect.stringContaining("What runs is not affected"),
      });
      expect(exit).toBe(1);
      expect(ms).toBeLessThan(5_000);
      console.log(`refused in ${(ms / 1000).toFixed(1)} s: ${json.error.message}`);
      await untouched();
      expect((await deploy()).json.ok).toBe(true);
    },
  );

  it("a crashed application starts again while Vault is dead", async () => {
    await vault.kill();
    await untouched();
    await vault.start();
    await vault.unseal();
  });

  it("a revoked token is refused by name; a revoked AppRole token is replaced unnoticed", async () => {
    await vault.request("PUT", "sys/leases/revoke-prefix/auth/approle", { body: {} });
    expect((await deploy()).json.ok).toBe(true);
    const { json } = await vault.request("POST", "auth/token/create", { body: { policies: ["helix"], ttl: "10m" } });
    await writeFile(
      join(plane.home, "keys/vault.json"),
      JSON.stringify({ address: vault.address, mount: "secret", prefix: "helix", token: json.auth.client_token }),
      { mode: 0o600 },
    );
    await helix(["down", "--control"]);
    expect((await deploy()).json.ok).toBe(true);
    await vault.request("POST", "auth/token/revoke", { body: { token: json.auth.client_token } });
    const refused = await deploy();
    expect(refused.json.error).toMatchObject({ code: "SECRET_STORE_DENIED", hint: expect.stringContaining("setup-vault") });
    await untouched();
  });
});
