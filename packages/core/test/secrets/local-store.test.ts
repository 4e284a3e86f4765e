import { chmod, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@helixstack/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLocalSecretStore } from "../../src/adapters/secrets/index.ts";
import type { SecretStore } from "../../src/ports/secret-store.ts";

const scope = { organization: "org_1", principal: "prn_1" };
const path = { project: "shop", environment: "production" };
const VALUE = "correct-horse-battery-staple";

let home: string;
let store: SecretStore;
const open = () => openLocalSecretStore({ root: join(home, "data/secrets"), keyFile: join(home, "keys/secrets.key") });
const set = (value: string, more: { expect?: string | null; name?: string } = {}) =>
  store.set(scope, { path, name: more.name ?? "TOKEN", value: new Secret(value), ...("expect" in more && { expect: more.expect }) });
const read = async (version: string) => (await store.read(scope, { path, ref: { name: "TOKEN", version } })).reveal();

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "helix-secrets-"));
  store = await open();
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe("the local secret store", () => {
  it("keeps every version, and pins the current one", async () => {
    expect(await set("one")).toMatchObject({ name: "TOKEN", version: "1" });
    expect(await set("two")).toMatchObject({ version: "2" });
    expect(await store.pin(scope, { path, names: ["TOKEN"] })).toEqual([{ name: "TOKEN", version: "2" }]);
    expect([await read("1"), await read("2")]).toEqual(["one", "two"]);
    expect(await store.list(scope, path)).toEqual([{ name: "TOKEN", version: "2", updatedAt: expect.any(String) as string }]);
  });

  it("names everything that is missing, at once", async () => {
    await set(VALUE);
    await expect(store.pin(scope, { path, names: ["A", "TOKEN", "B"] })).rejects.toMatchObject({
      code: "SECRET_MISSING",
      options: { details: { names: ["A", "B"] } },
    });
  });

  it("never gives a number twice, also after a removal", async () => {
    await set("one");
    expect(await store.remove(scope, { path, name: "TOKEN" })).toBe(true);
    expect(await store.remove(scope, { path, name: "TOKEN" })).toBe(false);
    expect(await store.list(scope, path)).toEqual([]);
    await expect(read("1")).rejects.toMatchObject({ code: "SECRET_MISSING" });
    expect(await set("two")).toMatchObject({ version: "3" });
  });

  it("keeps projects, environments, organizations and plugins apart", async () => {
    await set(VALUE);
    const others = [
      [scope, { project: "shop", environment: "preview/x" }],
      [scope, { project: "shop2", environment: "production" }],
      [scope, { plugin: "shop" }],
      [{ ...scope, organization: "org_2" }, path],
    ] as const;
    for (const [who, where] of others)
      await expect(store.read(who, { path: where, ref: { name: "TOKEN", version: "1" } })).rejects.toMatchObject({
        code: "SECRET_MISSING",
      });
  });

  it("has the value in no file, and closes its files to others", async () => {
    await set(VALUE);
    const files = (await readdir(home, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files).toHaveLength(2);
    for (const file of files) {
      const full = join(file.parentPath, file.name);
      const text = await readFile(full, "utf8");
      for (const form of [VALUE, Buffer.from(VALUE).toString("base64"), Buffer.from(VALUE).toString("hex")])
        expect(text).not.toContain(form);
      expect((await stat(full)).mode & 0o777).toBe(0o600);
    }
  });

  it("opens no file that was moved to another place or changed", async () => {
    await set(VALUE);
    await set(VALUE, { name: "OTHER" });
    const folder = join(home, "data/secrets/org_1/projects/shop/production");
    const original = await readFile(join(folder, "TOKEN/1.json"), "utf8");
    await rename(join(folder, "OTHER/1.json"), join(folder, "TOKEN/1.json"));
    await expect(read("1")).rejects.toMatchObject({ code: "SECRET_STORE_DOWN" });
    await writeFile(join(folder, "TOKEN/1.json"), original.replace(/"data":"./, '"data":"_'));
    await expect(read("1")).rejects.toMatchObject({ code: "SECRET_STORE_DOWN" });
    await writeFile(join(folder, "TOKEN/1.json"), original);
    expect(await read("1")).toBe(VALUE);
  });

  it("lets one of fifty writers win a check-and-set, whatever process they are in", async () => {
    await set("first");
    const stores = await Promise.all(Array.from({ length: 5 }, open));
    const writers = Array.from({ length: 50 }, (_, i) =>
      stores[i % 5]!.set(scope, { path, name: "TOKEN", value: new Secret(`writer ${i}`), expect: "1" }).then(
        () => i,
        (error: { code: string }) => error.code,
      ),
    );
    const outcomes = await Promise.all(writers);
    const winners = outcomes.filter((one) => typeof one === "number");
    expect(winners).toHaveLength(1);
    expect(outcomes.filter((one) => one === "SECRET_CHANGED")).toHaveLength(49);
    expect(await read("2")).toBe(`writer ${winners[0]}`);
  });

  it("takes all of fifty writers that expect nothing, each with a number of its own", async () => {
    const items = await Promise.all(Array.from({ length: 50 }, (_, i) => set(`value ${i}`)));
    expect(new Set(items.map(({ version }) => version)).size).toBe(50);
  });

  it("rotates its key: every version opens, the old key opens nothing, another process notices", async () => {
    await set("one");
    await set("two");
    const other = await open();
    expect((await other.read(scope, { path, ref: { name: "TOKEN", version: "1" } })).reveal()).toBe("one");
    const old = JSON.parse(await readFile(join(home, "keys/secrets.key"), "utf8")) as { current: string; keys: object };
    expect(await store.rotateKey!()).toBe(2);
    const now = JSON.parse(await readFile(join(home, "keys/secrets.key"), "utf8")) as { current: string; keys: object };
    expect(Object.keys(now.keys)).toEqual([now.current]);
    expect(now.current).not.toBe(old.current);
    expect([await read("1"), await read("2")]).toEqual(["one", "two"]);
    expect((await other.read(scope, { path, ref: { name: "TOKEN", version: "2" } })).reveal()).toBe("two");
    await writeFile(join(home, "keys/secrets.key"), JSON.stringify(old));
    await expect((await open()).read(scope, { path, ref: { name: "TOKEN", version: "1" } })).rejects.toMatchObject({
      code: "SECRET_STORE_DOWN",
    });
  });

  it("rotates once for all who ask at the same time, and ends", async () => {
    for (let i = 0; i < 20; i++) await set(`value ${i}`);
    await Promise.all([store.rotateKey!(), store.rotateKey!(), store.rotateKey!()]);
    expect(Object.keys((JSON.parse(await readFile(join(home, "keys/secrets.key"), "utf8")) as { keys: object }).keys)).toHaveLength(1);
    const again = await open();
    expect((await again.read(scope, { path, ref: { name: "TOKEN", version: "20" } })).reveal()).toBe("value 19");
    expect(await store.rotateKey!()).toBe(20);
  });

  it("keeps readable what is set with the old key as its rotation ends", async () => {
    const late = await open();
    await late.check();
    await store.rotateKey!();
    await late.set(scope, { path, name: "TOKEN", value: new Secret(VALUE) });
    expect((await (await open()).read(scope, { path, ref: { name: "TOKEN", version: "1" } })).reveal()).toBe(VALUE);
  });

  it("refuses a key file that others may read, and says what to do", async () => {
    await set(VALUE);
    await chmod(join(home, "keys/secrets.key"), 0o644);
    const again = await open();
    await expect(again.pin(scope, { path, names: ["TOKEN"] })).rejects.toMatchObject({
      code: "SECRET_STORE_DOWN",
      options: { hint: expect.stringContaining("chmod 600") as string },
    });
  });

  it("refuses values that no application could be given, without showing them", async () => {
    for (const value of ["", "a\0b", "x".repeat(65_537)]) {
      const error = (await set(value).catch((thrown: unknown) => thrown)) as { code: string; message: string };
      expect(error.code).toBe("SECRET_INVALID");
      expect(error.message.length).toBeLessThan(200);
    }
  });

  it("refuses every path that is not made of names", async () => {
    const bad = ["..", ".", "", "a/b", "shop/../other", "%2e%2e", "Shop", "shop ", "shop\n", "~", "-x", "a".repeat(41)];
    for (const name of bad) {
      const tries = [
        { project: name, environment: "production" },
        { plugin: name },
        ...(name === "a/b" || name === "-x" ? [] : [{ project: "shop", environment: name }]),
      ];
      for (const where of tries.filter((one) => !("environment" in one && one.environment === "production" && one.project === "shop")))
        if (!("environment" in where && /^[a-z][a-z0-9-]*$/.test(where.environment) && where.project === "shop"))
          await expect(store.list(scope, where), JSON.stringify(where)).rejects.toMatchObject({ code: "SCOPE_FORBIDDEN" });
    }
    await expect(store.read(scope, { path, ref: { name: "../X", version: "1" } })).rejects.toMatchObject({ code: "SCOPE_FORBIDDEN" });
    await expect(store.read(scope, { path, ref: { name: "TOKEN", version: "../1" } })).rejects.toMatchObject({ code: "SECRET_MISSING" });
  });
});
