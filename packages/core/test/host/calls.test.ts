import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ObservedRevision } from "@helixstack/sdk";
import { describe, expect, test } from "vitest";
import { EngineError } from "../../src/domain/errors.ts";
import { loadPlugins } from "../../src/host/index.ts";
import { FIXTURES, failure, identity, isAlive, spec, testDispatcher, until } from "./harness.ts";

describe("a call", () => {
  test("runs a verb in another process and gives back its answer", async () => {
    const { call, recorded } = await testDispatcher();
    const applied = await call<ObservedRevision>("apply");
    expect(applied.phase).toBe("running");
    expect(await call("observe")).toEqual(applied);
    expect(await call("destroy")).toBeUndefined();
    expect(await call("observe")).toBeNull();
    expect(recorded).toHaveLength(1);
    expect(recorded[0]!.pid).not.toBe(process.pid);
    expect(isAlive(recorded[0]!.pid)).toBe(true);
  });

  test("passes logs with their fields, by lines, and progress", async () => {
    const { call } = await testDispatcher();
    const lines: { level: string; text: string }[] = [];
    const result = await call("run", { onLog: ({ level, text }) => lines.push({ level, text }) });
    expect(result).toEqual({ exitCode: 0, logs: ["n ran"] });
    expect(lines).toEqual([{ level: "info", text: "task n: x" }]);
  });

  test("is recorded as a process before it starts, and removed when the process is gone", async () => {
    const events: string[] = [];
    const { call, dispatcher, home } = await testDispatcher({
      onHost: {
        async recordHost({ pid, startTicks }) {
          await new Promise((resolve) => setTimeout(resolve, 300));
          events.push(`recorded ${pid > 0 && startTicks !== ""} ${existsSync(join(home, "world.json"))}`);
        },
        removeHost: async ({ pid }) => void events.push(`removed, alive: ${isAlive(pid)}`),
      },
    });
    await call("apply");
    events.push("answered");
    await dispatcher.close();
    expect(events).toEqual(["recorded true false", "answered", "removed, alive: false"]);
  });

  test("does not happen when its host cannot be recorded", async () => {
    const refusal = new EngineError("DATABASE_DOWN", "no database");
    const { call, home } = await testDispatcher({ onHost: { recordHost: () => Promise.reject(refusal), removeHost: async () => {} } });
    expect((await failure(call("apply"))).code).toBe("DATABASE_DOWN");
    expect(existsSync(join(home, "world.json"))).toBe(false);
  });

  test("has a work folder that is gone afterwards, and a home that stays", async () => {
    const { call, fault, read } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "workdir" } });
    await call("apply");
    const workdir = await read("workdir");
    expect(workdir).toContain("helix-call-");
    expect(existsSync(workdir)).toBe(false);
  });

  test("sees no environment but what programs need", async () => {
    const env = {
      PATH: process.env["PATH"],
      HOME: "/home/x",
      HELIX_TOKEN: "t",
      DATABASE_URL: "d",
      NPM_CONFIG_REGISTRY: "r",
      REDIS_URL: "r",
      npm_config_local_prefix: "l",
      https_proxy: "p",
    };
    const { call, fault, read } = await testDispatcher({ env });
    await fault({ "runtime.apply": { kind: "environment" } });
    await call("apply");
    const all = Object.keys(JSON.parse(await read("environment.json")) as object);
    // Node itself hands this one on, where coverage is measured.
    const seen = all.filter((name) => name !== "NODE_V8_COVERAGE");
    expect(seen.toSorted()).toEqual(["HELIX_PLUGIN_HOST", "HOME", "NPM_CONFIG_REGISTRY", "PATH", "https_proxy"]);
  });

  test("of a verb that the plugin does not have is refused without asking it", async () => {
    const { call, recorded } = await testDispatcher();
    const error = await failure(call("hostAddress"));
    expect(error).toMatchObject({ code: "UNSUPPORTED", options: { plane: "runtime", plugin: "faulty@0.1.0" } });
    expect((await failure(call("constructor"))).code).toBe("UNSUPPORTED");
    expect(recorded).toEqual([]);
  });

  test("of an unknown plugin says which was meant", async () => {
    const { call } = await testDispatcher();
    expect(await failure(call("apply", { plugin: "fautly" }))).toMatchObject({
      code: "PLUGIN_UNKNOWN",
      message: expect.stringContaining('did you mean "faulty"?') as string,
    });
  });

  test("whose input is too large is refused before it is sent", async () => {
    const { call } = await testDispatcher();
    const error = await failure(call("apply", { input: { spec: { ...spec, env: { BIG: "x".repeat(9 * 1024 * 1024) } }, prior: null } }));
    expect(error.code).toBe("LIMIT_EXCEEDED");
    expect((await call<ObservedRevision>("apply")).phase).toBe("running");
  });

  test("many at once share one process", async () => {
    const { call, recorded } = await testDispatcher();
    const ids = Array.from({ length: 20 }, (_, i) => `rev_${i}`);
    await Promise.all(ids.map((revision) => call("apply", { identity: { ...identity, revision } })));
    const listed = await call<{ id: string }[]>("list");
    expect(listed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(recorded).toHaveLength(1);
  });

  test("plan gets its input and no context", async () => {
    const { call } = await testDispatcher();
    expect(await call("plan", { input: { spec, observed: null } })).toMatchObject([{ action: "create", path: "" }]);
  });
});

describe("a dispatcher that is closed", () => {
  test("takes no more calls, and leaves no process that was just starting", async () => {
    const { call, dispatcher, recorded } = await testDispatcher();
    const starting = failure(call("apply"));
    await dispatcher.close();
    expect(["PLUGIN_CRASHED", "BUSY"]).toContain((await starting).code);
    for (const { pid } of recorded) expect(isAlive(pid)).toBe(false);
    expect(dispatcher.hosts()).toEqual([]);
    expect(await failure(call("apply"))).toMatchObject({ code: "BUSY", retryable: true });
  });
});

describe("a log that cannot be written", () => {
  test("fails the call, not the plugin", async () => {
    const { call, recorded } = await testDispatcher();
    const onLog = () => {
      throw new EngineError("DISK_FULL", "no space for the log");
    };
    expect((await failure(call("run", { onLog }))).code).toBe("DISK_FULL");
    expect(await call("run")).toMatchObject({ exitCode: 0 });
    expect(recorded).toHaveLength(1);
  });
});

describe("a stored state", () => {
  const stored = { old: true };
  test.each([
    ["of an older version is upgraded before the verb sees it", 1, { upgradedFrom: 1, stored }],
    ["of the current version is given as it is", 2, stored],
    ["of no said version counts as current", null, stored],
  ])("%s", async (_, stateVersion, seen) => {
    const { call, fault, read } = await testDispatcher();
    await fault({ "runtime.observe": { kind: "prior" } });
    await call("observe", { input: { prior: stored }, stateVersion });
    expect(JSON.parse(await read("prior.json"))).toEqual(seen);
  });

  test("of a newer version is refused without asking the plugin", async () => {
    const { call, recorded } = await testDispatcher();
    const error = await failure(call("observe", { input: { prior: stored }, stateVersion: 3 }));
    expect(error).toMatchObject({ code: "PLUGIN_INVALID", options: { plane: "runtime", plugin: "faulty@0.1.0" } });
    expect(recorded).toEqual([]);
  });

  test("of an older version fails where the plugin cannot upgrade it", async () => {
    const { call } = await testDispatcher();
    const error = await failure(call("observe", { plane: "delivery", input: { prior: stored }, stateVersion: 0 }));
    expect(error).toMatchObject({ code: "INTERNAL", message: expect.stringContaining("no upgradeState") as string });
  });
});

describe("a host", () => {
  test("ends when it is idle, and comes back for the next call", async () => {
    const { call, recorded, removed, dispatcher } = await testDispatcher({ idleMs: 50 });
    await call("apply");
    const [first] = recorded;
    await until(() => removed.length === 1, "the idle host is removed");
    expect(isAlive(first!.pid)).toBe(false);
    expect(dispatcher.hosts()).toEqual([]);
    expect(await call("observe")).toMatchObject({ phase: "running" });
    expect(recorded).toHaveLength(2);
  });

  test("of a plugin with daemons waits for the hook before verbs that change what they serve", async () => {
    const loaded = await loadPlugins({ folders: [FIXTURES] });
    const faulty = loaded.get("runtime", "faulty");
    const plugin = { ...faulty, manifest: { ...faulty.manifest, daemons: [{ role: "d", entry: "./index.js" }] } };
    const seen: string[] = [];
    const beforeCall = async (_: unknown, verb: string) => {
      seen.push(verb);
      throw new EngineError("PLANE_FAILED", "the daemon does not start");
    };
    const { call } = await testDispatcher({ registry: { ...loaded, get: () => plugin }, beforeCall });
    // Its code says nothing of a daemon, so that the handshake would fail too: that `apply` fails with the hook's error shows the order.
    expect((await failure(call("apply"))).code).toBe("PLANE_FAILED");
    expect((await failure(call("observe"))).code).toBe("PLUGIN_INVALID");
    expect(seen).toEqual(["apply"]);
  });

  test("whose code is not what its manifest says is refused, naming what differs", async () => {
    const loaded = await loadPlugins({ folders: [FIXTURES] });
    const faulty = loaded.get("runtime", "faulty");
    const plugin = { ...faulty, manifest: { ...faulty.manifest, permissions: { ...faulty.manifest.permissions, secrets: [] } } };
    const { call, recorded } = await testDispatcher({ registry: { ...loaded, get: () => plugin } });
    const error = await failure(call("apply"));
    expect(error).toMatchObject({ code: "PLUGIN_INVALID", options: { plugin: "faulty@0.1.0" } });
    expect(error.message).toContain("permissions.secrets");
    await until(() => !isAlive(recorded[0]!.pid), "its process is gone");
  });
});
