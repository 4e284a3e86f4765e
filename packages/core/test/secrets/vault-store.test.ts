import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@helixstack/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openVaultSecretStore } from "../../src/adapters/secrets/vault/vault-store.ts";
import { vaultPolicy } from "../../src/domain/vault-policy.ts";
import type { SecretStore } from "../../src/ports/secret-store.ts";
import { type VaultServer, startVault, vaultProgram } from "./vault-server.ts";

const scope = { organization: "org_1", principal: "prn_1" };
const path = { project: "shop", environment: "preview/login" };
const VALUE = "vault-canary-81c4";
const policy = vaultPolicy({ mount: "secret", prefix: "helix", organization: "org_1", project: null });

describe.skipIf(vaultProgram === null)("Vault KV v2 (needs the program vault)", () => {
  let vault: VaultServer;
  let home: string;
  let store: SecretStore;
  let warned: string[];
  const stores: SecretStore[] = [];
  const open = async (credential: object) => {
    const credentialFile = join(home, "vault.json");
    await writeFile(credentialFile, JSON.stringify(credential), { mode: 0o600 });
    const logger = { info: () => {}, warn: (message: string) => void warned.push(message) };
    const made = openVaultSecretStore({
      address: vault.address,
      namespace: null,
      mount: "secret",
      prefix: "helix",
      credentialFile,
      logger,
    });
    stores.push(made);
    return made;
  };
  const set = (value: string, more: { expect?: string | null; name?: string } = {}) =>
    store.set(scope, { path, name: more.name ?? "TOKEN", value: new Secret(value), ...("expect" in more && { expect: more.expect }) });
  const read = async (version: string, from = store) => (await from.read(scope, { path, ref: { name: "TOKEN", version } })).reveal();
  const timed = async (work: Promise<unknown>) => {
    const began = performance.now();
    const error = (await work.then(
      () => null,
      (thrown: unknown) => thrown,
    )) as { code: string; message: string; options: { hint: string; details: { cause: string } }; retryable: boolean } | null;
    return { error: error!, ms: performance.now() - began };
  };

  beforeAll(async () => {
    vault = await startVault();
  }, 60_000);
  afterAll(() => vault?.remove());
  beforeEach(async () => {
    warned = [];
    home = await mkdtemp(join(tmpdir(), "helix-vault-store-"));
    const { roleId, secretId } = await vault.makeRole("helix", { policy });
    store = await open({ roleId, secretId });
    await store.remove(scope, { path, name: "TOKEN" });
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((one) => one.close()));
    await rm(home, { recursive: true, force: true });
  });

  it("keeps versions, pins the current one, and never gives a number twice, also after a removal", async () => {
    const first = Number((await set("one")).version);
    expect(await set("two")).toMatchObject({ version: String(first + 1) });
    expect(await store.pin(scope, { path, names: ["TOKEN"] })).toEqual([{ name: "TOKEN", version: String(first + 1) }]);
    expect([await read(String(first)), await read(String(first + 1))]).toEqual(["one", "two"]);
    expect(await store.list(scope, path)).toMatchObject([{ name: "TOKEN", version: String(first + 1) }]);
    expect(await store.remove(scope, { path, name: "TOKEN" })).toBe(true);
    expect(await store.list(scope, path)).toEqual([]);
    await expect(read(String(first + 1))).rejects.toMatchObject({ code: "SECRET_MISSING" });
    expect(await set("three", { expect: null })).toMatchObject({ version: String(first + 2) });
  });

  it("names all that are missing", async () => {
    await set(VALUE);
    await expect(store.pin(scope, { path, names: ["A", "TOKEN", "B"] })).rejects.toMatchObject({
      code: "SECRET_MISSING",
      options: { details: { names: ["A", "B"] } },
    });
  });

  it("lets one of fifty writers win a check-and-set, and takes all of those that expect nothing", async () => {
    const { version } = await set("first");
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        set(`writer ${i}`, { expect: version }).then(
          () => i,
          (error: { code: string }) => error.code,
        ),
      ),
    );
    const winners = outcomes.filter((one) => typeof one === "number");
    expect(winners).toHaveLength(1);
    expect(outcomes.filter((one) => one === "SECRET_CHANGED")).toHaveLength(49);
    expect(await read(String(Number(version) + 1))).toBe(`writer ${winners[0]}`);
    const items = await Promise.all(Array.from({ length: 5 }, (_, i) => set(`free ${i}`)));
    expect(new Set(items.map((item) => item.version)).size).toBe(5);
  });

  it("works with a token, and says what to do when it was revoked", async () => {
    await vault.request("PUT", "sys/policies/acl/helix", { body: { policy } });
    const { json } = await vault.request("POST", "auth/token/create", { body: { policies: ["helix"], ttl: "10m" } });
    await set(VALUE);
    const [ref] = await store.pin(scope, { path, names: ["TOKEN"] });
    const tokenStore = await open({ token: json.auth.client_token });
    expect(await read(ref!.version, tokenStore)).toBe(VALUE);
    await vault.request("POST", "auth/token/revoke", { body: { token: json.auth.client_token } });
    const { error, ms } = await timed(tokenStore.pin(scope, { path, names: ["TOKEN"] }));
    expect(error).toMatchObject({ code: "SECRET_STORE_DENIED", options: { hint: expect.stringContaining("setup-vault") as string } });
    expect(ms).toBeLessThan(5_000);
  });

  it("signs in again by itself when an AppRole's token was revoked", async () => {
    await set(VALUE);
    await vault.request("PUT", "sys/leases/revoke-prefix/auth/approle", { body: {} });
    expect(await store.pin(scope, { path, names: ["TOKEN"] })).toHaveLength(1);
  });

  it("opens a wrapped secret id once, keeps what was in it, and knows when somebody else was first", async () => {
    const { roleId, wrapped } = await vault.makeRole("helix", { policy });
    const first = await open({ roleId, wrappedSecretId: wrapped });
    await first.check();
    const kept = JSON.parse(await readFile(join(home, "vault.json"), "utf8")) as Record<string, string>;
    expect(kept["wrappedSecretId"]).toBeUndefined();
    expect(kept["secretId"]).toMatch(/^[0-9a-f-]{36}$/);
    const second = await open({ roleId, wrappedSecretId: wrapped });
    const { error } = await timed(second.check());
    expect(error).toMatchObject({ code: "SECRET_STORE_DENIED", message: expect.stringContaining("somebody else") as string });
  });

  it("renews at two thirds of the lease, and signs in anew at the end of a token's longest life", async () => {
    const { roleId, secretId } = await vault.makeRole("short", { policy, ttl: "3s", maxTtl: "6s" });
    const short = await open({ roleId, secretId });
    await set(VALUE);
    for (const until = performance.now() + 9_000; performance.now() < until;) {
      expect(await short.pin(scope, { path, names: ["TOKEN"] })).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const accessors = await vault.request("LIST", "auth/token/accessors");
    expect(accessors.status).toBe(200);
    expect(warned.some((line) => line.includes("signing in again"))).toBe(true);
  }, 30_000);

  it("refuses within three seconds when Vault is sealed, slow or killed, and goes on when it is back", async () => {
    await set(VALUE);
    const asked = () => timed(store.pin(scope, { path, names: ["TOKEN"] }));
    await vault.request("PUT", "sys/seal");
    const sealed = await asked();
    expect(sealed.error).toMatchObject({
      code: "SECRET_STORE_DOWN",
      options: { details: { cause: "sealed" }, hint: expect.stringContaining("vault operator unseal") as string },
    });
    await vault.unseal();
    expect(await store.pin(scope, { path, names: ["TOKEN"] })).toHaveLength(1);
    await vault.freeze();
    const slow = await asked();
    expect(slow.error).toMatchObject({ code: "SECRET_STORE_DOWN", options: { details: { cause: "slow" } } });
    vault.thaw();
    expect(await store.pin(scope, { path, names: ["TOKEN"] })).toHaveLength(1);
    await vault.kill();
    const killed = await asked();
    expect(killed.error).toMatchObject({ code: "SECRET_STORE_DOWN", options: { details: { cause: "unreachable" } } });
    for (const { error, ms } of [sealed, slow, killed]) {
      expect(error.retryable).toBe(false);
      expect(ms).toBeLessThan(3_000);
      expect(JSON.stringify(error)).not.toMatch(new RegExp(`${VALUE}|hvs\\.`));
    }
    await vault.start();
    await vault.unseal();
    expect(await store.pin(scope, { path, names: ["TOKEN"] })).toHaveLength(1);
  }, 30_000);
});
