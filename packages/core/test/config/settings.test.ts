import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHome, readSettings, resolveHome } from "../../src/config/index.ts";
import { EngineError } from "../../src/domain/errors.ts";

describe("resolveHome", () => {
  it.each([
    [{ HELIX_HOME: "/x/y" }, 0, "/x/y"],
    [{ HELIX_HOME: "" }, 0, "/var/lib/helix"],
    [{}, 0, "/var/lib/helix"],
    [{ HOME: "/home/ada" }, 1000, "/home/ada/.helix"],
    [{ HELIX_HOME: "rel" }, 1000, join(process.cwd(), "rel")],
  ])("%j as %d is %s", (env, uid, home) => expect(resolveHome(env, uid)).toBe(home));
});

describe("readSettings", () => {
  it("has defaults for everything", () => {
    expect(readSettings({ HELIX_HOME: "/h" }, { uid: 1 })).toEqual({
      home: "/h",
      databaseUrl: null,
      redisUrl: null,
      vaultAddress: null,
      vaultNamespace: null,
      host: "127.0.0.1",
      port: 7300,
      portIsFixed: false,
      allowedHosts: [],
      logLevel: "info",
      concurrency: 4,
      maxSourceBytes: 1_073_741_824,
      keepUnusedMs: 604_800_000,
    });
  });

  it("every variable stands on the page of settings", () => {
    const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
    const names = [...read("packages/core/src/config/settings.ts").matchAll(/read(?:<[^>]*>)?\("(\w+)"/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(9);
    const page = read("docs/settings.md");
    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it("reads every variable", () => {
    const env = {
      DATABASE_URL: "postgres://u:p@h/d",
      REDIS_URL: "rediss://h:6379",
      HELIX_HOST: "::1",
      HELIX_PORT: "0",
      HELIX_ALLOWED_HOSTS: "helix.example, Other.example",
      HELIX_LOG_LEVEL: "debug",
      HELIX_CONCURRENCY: "8",
      HELIX_MAX_SOURCE: "2Gi",
      HELIX_KEEP_UNUSED: "12h",
    };
    expect(readSettings(env, { uid: 1 })).toMatchObject({
      databaseUrl: "postgres://u:p@h/d",
      redisUrl: "rediss://h:6379",
      host: "::1",
      port: 0,
      portIsFixed: true,
      allowedHosts: ["helix.example", "other.example"],
      logLevel: "debug",
      concurrency: 8,
      maxSourceBytes: 2 ** 31,
      keepUnusedMs: 43_200_000,
    });
  });

  it.each([
    ["DATABASE_URL", "mysql://u:geheim@h/d", "DATABASE_URL is not a URL such as postgresql://user:password@host/name"],
    ["REDIS_URL", "geheim", "REDIS_URL is not a URL such as rediss://user:password@host/name"],
    ["HELIX_HOST", "a b", "HELIX_HOST is not a host name or address"],
    ["HELIX_PORT", "70000", "HELIX_PORT must be a whole number from 0 to 65535"],
    ["HELIX_ALLOWED_HOSTS", "a:1", "HELIX_ALLOWED_HOSTS must be host names without ports, with commas between them"],
    ["HELIX_LOG_LEVEL", "warning", "HELIX_LOG_LEVEL must be one of silent, fatal, error, warn, info, debug, trace"],
    ["HELIX_CONCURRENCY", "0", "HELIX_CONCURRENCY must be a whole number from 1 to 64"],
    ["HELIX_KEEP_UNUSED", "5m", "HELIX_KEEP_UNUSED must be a time such as 7d or 12h, at least 1h"],
    ["HELIX_MAX_SOURCE", "big", "HELIX_MAX_SOURCE must be a size such as 512Mi or 1Gi"],
  ])("refuses %s=%s and does not show the value", (name, value, message) => {
    const error = caught(() => readSettings({ [name]: value }, { uid: 1 }));
    expect(error).toMatchObject({ code: "USAGE", message });
    expect(error.message).not.toContain("geheim");
  });

  it("names every variable that is wrong", () => {
    const error = caught(() => readSettings({ HELIX_PORT: "x", HELIX_LOG_LEVEL: "dbug" }, { uid: 1 }));
    expect(error.message).toContain("HELIX_PORT must be");
    expect(error.message).toContain('did you mean "debug"?');
  });
});

describe("createHome", () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "helix-home-"));
    chmodSync(base, 0o755);
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  it("makes private folders private and lets the database's user pass to its own", () => {
    const layout = createHome(join(base, "h"), { uid: process.getuid?.() });
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect([layout.root, layout.data, layout.volumes, layout.artifacts].map(mode)).toEqual([0o711, 0o711, 0o711, 0o711]);
    expect([layout.keys, layout.run, layout.sources, layout.logs, layout.supervisor].map(mode)).toEqual(Array(5).fill(0o700));
    expect(() => statSync(layout.postgres)).toThrow();
  });

  it("corrects a home that is too open or too closed, and runs twice", () => {
    const layout = createHome(join(base, "h"), { uid: undefined });
    chmodSync(layout.keys, 0o755);
    chmodSync(layout.root, 0o700);
    createHome(join(base, "h"), { uid: undefined });
    expect(statSync(layout.keys).mode & 0o777).toBe(0o700);
    expect(statSync(layout.root).mode & 0o777).toBe(0o711);
  });

  it("refuses as root a home below a closed folder", () => {
    chmodSync(base, 0o700);
    expect(caught(() => createHome(join(base, "h"), { uid: 0 }))).toMatchObject({
      code: "PLANE_FAILED",
      message: expect.stringContaining(`cannot pass through ${base}`),
    });
  });

  it("says what is in the way", () => {
    writeFileSync(join(base, "file"), "");
    expect(caught(() => createHome(join(base, "file"), { uid: 1 })).message).toContain("a file has this name");
    expect(caught(() => createHome(join(base, "file", "h"), { uid: 1 })).message).toContain("a part of the path is a file");
  });
});

function caught(run: () => unknown): EngineError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(EngineError);
    return error as EngineError;
  }
  throw new Error("nothing was thrown");
}
