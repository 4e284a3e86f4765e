import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The real program, from HELIX_VAULT_BIN or PATH; null where there is none. */
export const vaultProgram: string | null =
  [process.env["HELIX_VAULT_BIN"], "vault"].find((one) => one !== undefined && one !== "" && spawnSync(one, ["version"]).status === 0) ??
  null;

/** A Vault of its own, on files, so that it can be killed, sealed and started again. */
export interface VaultServer {
  readonly address: string;
  readonly rootToken: string;
  /** One request with the root token (or another). */
  request(
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly token?: string; readonly wrapTtl?: string },
  ): Promise<{ status: number; json: any }>;
  /** A policy and a role; answers with its ids. */
  makeRole(
    name: string,
    options: { readonly policy: string; readonly ttl?: string; readonly maxTtl?: string },
  ): Promise<{ roleId: string; secretId: string; wrapped: string }>;
  kill(): Promise<void>;
  /** Stops its process, and resolves when no thread of it runs any more. */
  freeze(): Promise<void>;
  thaw(): void;
  start(): Promise<void>;
  unseal(): Promise<void>;
  remove(): Promise<void>;
}

export async function startVault(): Promise<VaultServer> {
  const folder = await mkdtemp(join(tmpdir(), "helix-vault-"));
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const config = `storage "file" { path = "${folder}/data" }
listener "tcp" { address = "127.0.0.1:${port}" tls_disable = true }
disable_mlock = true
disable_clustering = true
api_addr = "${address}"
`;
  await writeFile(join(folder, "vault.hcl"), config);
  let child: ChildProcess | null = null;
  let keys = { root: "", unseal: "" };

  const request: VaultServer["request"] = async (method, path, { body, token = keys.root, wrapTtl } = {}) => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { "x-vault-token": token, "content-type": "application/json", ...(wrapTtl && { "x-vault-wrap-ttl": wrapTtl }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: text === "" ? null : (JSON.parse(text) as unknown) };
  };
  const ended = (one: ChildProcess) =>
    new Promise<void>((resolve) => (one.exitCode !== null || one.signalCode !== null ? resolve() : void one.once("exit", () => resolve())));
  const server: VaultServer = {
    address,
    get rootToken() {
      return keys.root;
    },
    request,
    async makeRole(name, { policy, ttl = "20m", maxTtl = "4h" }) {
      await request("PUT", `sys/policies/acl/${name}`, { body: { policy } });
      await request("POST", `auth/approle/role/${name}`, { body: { token_policies: [name], token_ttl: ttl, token_max_ttl: maxTtl } });
      const { json: role } = await request("GET", `auth/approle/role/${name}/role-id`);
      const { json: secret } = await request("POST", `auth/approle/role/${name}/secret-id`);
      const { json: wrapped } = await request("POST", `auth/approle/role/${name}/secret-id`, { wrapTtl: "10m" });
      return { roleId: role.data.role_id, secretId: secret.data.secret_id, wrapped: wrapped.wrap_info.token };
    },
    async kill() {
      child?.kill("SIGKILL");
      if (child) await ended(child);
    },
    async freeze() {
      child?.kill("SIGSTOP");
      while (!isStopped(child!.pid!)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    thaw: () => void child?.kill("SIGCONT"),
    async start() {
      child = spawn(vaultProgram!, ["server", "-config", join(folder, "vault.hcl")], {
        stdio: "ignore",
        env: { ...process.env, HOME: folder },
      });
      for (let tries = 0; ; tries++) {
        const answer = await fetch(`${address}/v1/sys/health`).catch(() => null);
        if (answer) return;
        if (tries > 300) throw new Error("vault did not start");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async unseal() {
      await request("PUT", "sys/unseal", { body: { key: keys.unseal } });
      for (let tries = 0; tries < 100 && (await request("GET", "sys/health")).status !== 200; tries++)
        await new Promise((resolve) => setTimeout(resolve, 50));
    },
    async remove() {
      child?.kill("SIGCONT");
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  const { json } = await request("PUT", "sys/init", { body: { secret_shares: 1, secret_threshold: 1 } });
  keys = { root: json.root_token, unseal: json.keys_base64[0] };
  await server.unseal();
  await request("POST", "sys/mounts/secret", { body: { type: "kv", options: { version: "2" } } });
  await request("POST", "sys/auth/approle", { body: { type: "approle" } });
  // The engine upgrades itself for a moment after it was mounted.
  for (let tries = 0; tries < 100 && (await request("POST", "secret/data/ready", { body: { data: {} } })).status >= 400; tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  return server;
}

/** A signal gets to a thread when it is next looked at, which on a busy machine may be after an answer. */
function isStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8"));
  return threads.every((stat) => stat.slice(stat.lastIndexOf(")") + 2).startsWith("T"));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
