import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CommandInput, installArgs, pruneArgs } from "../src/commands.ts";
import { failureOf } from "../src/failures.ts";
import { findProgram } from "../src/find-program.ts";
import { describeToolchain, isDevServer } from "../src/index.ts";
import type { ManagerKind } from "../src/manager.ts";

describe("development servers", () => {
  it.each([
    "vite",
    "vite --port 3000",
    "react-scripts start",
    "cross-env A=1 vite",
    "PORT=1 ng serve",
    "parcel index.html",
    "webpack serve",
  ])("%s is one", (script) => expect(isDevServer(script)).toBe(true));

  it.each(["node server.js", "vite build", "vite-node server.ts", "next start", "parcel build", "node vite", "vitepress build"])(
    "%s is none",
    (script) => expect(isDevServer(script)).toBe(false),
  );
});

function input(kind: ManagerKind, { locked = true, version = "4.0.0" } = {}): CommandInput {
  const lockfile = locked ? { name: "lock", kind, format: null } : null;
  const tool = { kind, argv: [kind], version, path: [] };
  return { tool, manager: { kind, wanted: null, lockfile, ignored: [] }, home: "/home", isWorkspace: false };
}

describe("command lines", () => {
  it.each<[ManagerKind, boolean, boolean, string]>([
    ["npm", true, false, "ci --include=dev"],
    ["npm", true, true, "ci --omit=dev"],
    ["npm", false, true, "install --omit=dev"],
    ["pnpm", true, false, "install --frozen-lockfile --prod=false"],
    ["pnpm", false, true, "install --no-frozen-lockfile --prod=true"],
    ["yarn-classic", true, true, "install --frozen-lockfile --production=true"],
    ["yarn-classic", false, false, "install --production=false"],
    ["yarn-berry", true, false, "install --immutable"],
    ["yarn-berry", false, false, "install --no-immutable"],
  ])("%s, locked: %s, production: %s", (kind, locked, production, expected) => {
    expect(installArgs(input(kind, { locked }), { production }).join(" ")).toMatch(new RegExp(`^${expected}(?: --|$)`));
  });

  it("say when dev dependencies cannot be removed", () => {
    expect(pruneArgs(input("yarn-berry", { version: "3.8.0" }))).toBeNull();
    expect(pruneArgs(input("yarn-berry"))).toEqual(["workspaces", "focus", "--all", "--production"]);
  });

  it("keep a pnpm workspace above the source out, and a project's own in", () => {
    expect(installArgs(input("pnpm"), { production: false })).toContain("--ignore-workspace");
    expect(installArgs({ ...input("pnpm"), isWorkspace: true }, { production: false })).not.toContain("--ignore-workspace");
  });
});

describe("failures", () => {
  it.each([
    ["npm error code ETIMEDOUT", "UNAVAILABLE"],
    ["request to https://packages.example failed, reason: getaddrinfo ENOTFOUND packages.example", "UNAVAILABLE"],
    ["npm error code E404", "BUILD_FAILED"],
  ])("of an install that says %j are %s", (line, code) => {
    expect(failureOf("npm ci", { exitCode: 1, tail: [line], isInstall: true })).toMatchObject({ code, logs: [line] });
  });

  it("of a script are the build's own, whatever it could not reach", () => {
    expect(failureOf("npm run build", { exitCode: 1, tail: ["ECONNREFUSED"], isInstall: false })).toMatchObject({ code: "BUILD_FAILED" });
  });

  it.each([
    ["sh: 1: tsc: not found", "devDependencies"],
    ["FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "memory"],
    ["npm error code E401", "credentials"],
    ["`npm ci` can only install packages when your package.json and package-lock.json are in sync.", "lockfile"],
  ])("say what to do about %j", (line, hint) => {
    expect(failureOf("npm run build", { exitCode: 1, tail: [line], isInstall: false }).hint).toContain(hint);
  });

  it("say that a build was killed", () => {
    expect(failureOf("npm run build", { exitCode: 137, tail: [], isInstall: false }).hint).toContain("killed");
  });
});

describe("programs on PATH", () => {
  it("are found with their version, past corepack's shims and files that may not run", async () => {
    const root = mkdtempSync(join(tmpdir(), "helix-path-"));
    const package_ = (name: string, owner: string, { runs }: { runs: boolean }): void => {
      mkdirSync(join(root, name, "bin"), { recursive: true });
      mkdirSync(join(root, `${name}-path`));
      writeFileSync(join(root, name, "package.json"), JSON.stringify({ name: owner, version: "9.9.9" }));
      writeFileSync(join(root, name, "bin", "pnpm.js"), "");
      chmodSync(join(root, name, "bin", "pnpm.js"), runs ? 0o755 : 0o644);
      symlinkSync(join(root, name, "bin", "pnpm.js"), join(root, `${name}-path`, "pnpm"));
    };
    package_("shim", "corepack", { runs: true });
    package_("broken", "pnpm", { runs: false });
    package_("real", "pnpm", { runs: true });
    const path = ["gone", "shim-path", "broken-path", "real-path"].map((name) => join(root, name));
    expect(await findProgram("pnpm", path.join(":"))).toEqual({ path: join(root, "real-path", "pnpm"), version: "9.9.9" });
    expect(await findProgram("pnpm", path.slice(0, 3).join(":"))).toBeNull();
    rmSync(root, { recursive: true });
  });

  it("are named in the toolchain, by version", async () => {
    expect(await describeToolchain()).toMatch(/^node \d+\.\d+\.\d+, npm \d+\.\d+\.\d+, pnpm \d+\.\d+\.\d+, yarn \d+\.\d+\.\d+$/);
  });
});
