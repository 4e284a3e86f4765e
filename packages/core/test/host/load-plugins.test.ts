import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadPlugins } from "../../src/host/index.ts";
import { FIXTURES, temporaryFolder } from "./harness.ts";

const CONFIG = {
  type: "object",
  properties: {
    region: { type: "string", default: "here" },
    limits: { type: "object", properties: { memory: { type: "integer" } }, default: {} },
  },
};

/** A folder with plugins that are manifests only: the loader runs no code. */
async function pluginFolder(manifests: Readonly<Record<string, object | string>>): Promise<string> {
  const base = JSON.parse(await readFile(join(FIXTURES, "faulty", "helix-plugin.json"), "utf8")) as object;
  const folder = await temporaryFolder();
  for (const [name, changes] of Object.entries(manifests)) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "index.js"), "throw new Error('the loader ran the code')");
    const text = typeof changes === "string" ? changes : JSON.stringify({ ...base, name, ...changes });
    await writeFile(join(folder, name, "helix-plugin.json"), text);
  }
  return folder;
}

async function problemOf(changes: object | string): Promise<string> {
  const folder = await pluginFolder({ odd: changes, fine: {} });
  const { list, problems } = await loadPlugins({ folders: [folder] });
  expect(list().map(({ manifest }) => manifest.name)).toEqual(["fine"]);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ folder: join(folder, "odd"), error: { code: "PLUGIN_INVALID" } });
  return problems[0]!.error.message;
}

describe("loadPlugins", () => {
  test("reads every plugin of every folder without running it", async () => {
    const folders = [await pluginFolder({ one: {}, two: {} }), await pluginFolder({ three: {} }), "/nowhere"];
    const registry = await loadPlugins({ folders });
    expect(registry.problems).toEqual([]);
    expect(registry.list().map(({ manifest }) => manifest.name)).toEqual(["one", "two", "three"]);
    expect(registry.get("runtime", "two").folder).toBe(join(folders[0]!, "two"));
  });

  test("follows links and leaves alone what is no plugin", async () => {
    const folder = await temporaryFolder();
    await symlink(join(await pluginFolder({ linked: {} }), "linked"), join(folder, "linked"));
    await mkdir(join(folder, "library"));
    const registry = await loadPlugins({ folders: [folder] });
    expect([registry.list().length, registry.problems]).toEqual([1, []]);
  });

  test.each([
    ["is not JSON", "{", "it is not JSON"],
    ["is of another contract", { contract: 2 }, "it is written for contract 2, this engine speaks contract 1"],
    ["is for another engine", { engine: ">=99" }, "it works with engines >=99"],
    ["has no range", { engine: "newest" }, '"newest" is not a semver range'],
    ["has a version that is none", { version: "one" }, 'version "one" is not semver'],
    ["has an unknown key", { permission: {} }, 'unknown key "permission"; did you mean "permissions"?'],
    ["lacks a key", { description: undefined }, "description"],
    ["has a name that is none", { name: "Odd Name" }, "name"],
    ["fills no plane", { planes: {} }, "planes"],
    [
      "makes an unknown kind",
      { planes: { build: { produces: ["tarball"], spec: {} } } },
      "planes.build.produces.0 must be one of node-bundle",
    ],
    ["has a schema that is none", { config: { type: "objekt" } }, "config is not a JSON Schema"],
    ["leaves its folder", { entry: "./../index.js" }, "is outside of the plugin's folder"],
    ["names a module that is not there", { entry: "./gone.js" }, "./gone.js is not there"],
    ["names a daemon that is not there", { daemons: [{ role: "d", entry: "./d.js" }] }, "./d.js is not there"],
  ])("reports a manifest that %s and keeps the others", async (_, changes, message) => {
    expect(await problemOf(changes)).toContain(message);
  });

  test("tells by the digest what of a plugin has changed", async () => {
    const folder = await pluginFolder({ own: { entry: "./dist/index.js" } });
    const write = async (path: string): Promise<string> => {
      await mkdir(join(folder, "own", path, ".."), { recursive: true });
      await writeFile(join(folder, "own", path), path);
      return (await loadPlugins({ folders: [folder] })).list()[0]!.digest;
    };
    const first = await write("dist/index.js");
    for (const path of ["src/index.ts", "test/own.test.ts", "node_modules/other/index.js", "dist/index.js.map"])
      expect(await write(path)).toBe(first);
    const digests = [first];
    for (const path of ["dist/part.js", "scripts/mount.sh", "lua/routes.lua"]) digests.push(await write(path));
    expect(new Set(digests).size).toBe(4);
  });

  test("keeps the first of two plugins of one name", async () => {
    const folders = [await pluginFolder({ twin: {} }), await pluginFolder({ twin: {} })];
    const { get, problems } = await loadPlugins({ folders });
    expect(get("build", "twin").folder).toBe(join(folders[0]!, "twin"));
    expect(problems).toMatchObject([{ name: "twin", error: { code: "PLUGIN_INVALID" } }]);
  });
});

describe("a plugin's configuration", () => {
  const load = async (config: unknown) =>
    loadPlugins({ folders: [await pluginFolder({ cloud: { config: CONFIG } })], configOf: () => config });

  test("gets its defaults and is frozen through and through", async () => {
    const given = { limits: { memory: 5 } };
    const { config } = (await load(given)).get("runtime", "cloud");
    expect(config).toEqual({ region: "here", limits: { memory: 5 } });
    expect(Object.isFrozen(config) && Object.isFrozen(config["limits"])).toBe(true);
    expect(given).toEqual({ limits: { memory: 5 } });
    expect((await load(undefined)).get("runtime", "cloud").config).toEqual({ region: "here", limits: {} });
  });

  test.each([
    [{ regoin: "x" }, 'unknown key "regoin"; did you mean "region"?'],
    [{ limits: { mem: 1 } }, 'unknown key "mem" in limits'],
    [{ limits: { memory: "5" } }, "limits.memory must be integer"],
    ["text", "the whole must be object"],
  ])("%j is refused", async (config, message) => {
    const { problems, get } = await load(config);
    expect(problems[0]?.error).toMatchObject({ code: "INVALID_CONFIG", options: { plugin: "cloud@0.1.0" } });
    expect(problems[0]?.error.message).toContain(message);
    // Whoever asks for the plugin is told why it is not there.
    expect(() => get("runtime", "cloud")).toThrow(message);
  });
});

describe("the registry", () => {
  test("says which plugins there are, and which was meant", async () => {
    const { get } = await loadPlugins({ folders: [await pluginFolder({ docker: {}, process: {} })] });
    expect(() => get("runtime", "dokcer")).toThrow(
      'no runtime plugin is called "dokcer"; there are docker, process; did you mean "docker"?',
    );
  });

  test("tells a plugin without the plane from one that is not there", async () => {
    const build = { produces: ["static-site"], spec: { type: "object" } };
    const { get } = await loadPlugins({ folders: [await pluginFolder({ site: { planes: { build } } })] });
    expect(() => get("runtime", "site")).toThrow('the plugin "site" has no runtime plane; no runtime plugin is installed');
  });

  test("knows the optional verbs", async () => {
    const { supports } = await loadPlugins({ folders: [FIXTURES] });
    expect([supports("faulty", "runtime.logs"), supports("faulty", "runtime.hostAddress"), supports("nobody", "runtime.logs")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("the digest", () => {
  const digest = async (folder: string) => (await loadPlugins({ folders: [folder] })).list()[0]!.digest;

  test("is of the manifest and the code, wherever they are", async () => {
    const folder = await pluginFolder({ one: {} });
    const before = await digest(folder);
    expect(before).toMatch(/^sha256:[0-9a-f]{64}$/);
    const copy = await temporaryFolder();
    await cp(folder, copy, { recursive: true });
    expect(await digest(copy)).toBe(before);
    await writeFile(join(copy, "one", "more.js"), "");
    expect(await digest(copy)).not.toBe(before);
    await rm(join(copy, "one", "more.js"));
    await writeFile(join(copy, "one", "index.js"), "// another");
    expect(await digest(copy)).not.toBe(before);
  });

  test("leaves out dependencies and what only debuggers read", async () => {
    const folder = await pluginFolder({ one: {} });
    const before = await digest(folder);
    await mkdir(join(folder, "one", "node_modules"));
    await writeFile(join(folder, "one", "node_modules", "x.js"), "x");
    await writeFile(join(folder, "one", "index.js.map"), "x");
    expect(await digest(folder)).toBe(before);
  });
});

describe("what was right before", () => {
  const memoryOf = () => {
    const known = new Map<string, Readonly<Record<string, unknown>>>();
    return {
      known,
      knows: (digest: string) => [...known.keys()].some((key) => key.startsWith(digest)),
      get: (key: string) => known.get(key),
      set: (key: string, config: Readonly<Record<string, unknown>>) => void known.set(key, config),
    };
  };

  test("is found again as it was, and is checked again when anything of it changes", async () => {
    const folder = await pluginFolder({ one: { config: CONFIG } });
    const memory = memoryOf();
    const load = (given: object = {}) => loadPlugins({ folders: [folder], memory, configOf: () => given });
    const [checked] = (await load()).list();
    const [recalled] = (await load()).list();
    expect(recalled).toEqual(checked);
    expect(Object.isFrozen(recalled!.config)).toBe(true);
    expect(memory.known.size).toBe(1);
    expect((await load({ region: 1 })).problems).toMatchObject([{ error: { code: "INVALID_CONFIG" } }]);
    await writeFile(join(folder, "one", "index.js"), "// changed");
    expect((await load()).list()[0]!.digest).not.toBe(checked!.digest);
    expect(memory.known.size).toBe(2);
    const manifest = join(folder, "one", "helix-plugin.json");
    await writeFile(manifest, (await readFile(manifest, "utf8")).replace('"contract":1', '"contract":2'));
    expect((await load()).problems).toMatchObject([{ error: { code: "PLUGIN_INVALID" } }]);
  });
});
