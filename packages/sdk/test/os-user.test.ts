import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { giveTo, makeOwnFolder, removeTree } from "../src/exec.ts";

const isRoot = process.getuid!() === 0;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "helix-user-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("makeOwnFolder", () => {
  const make = (name: string): Promise<void> => makeOwnFolder(join(folder, name), { mode: 0o700 });

  test("makes it, and takes it as it is the next time", async () => {
    await make("a/b");
    await make("a/b");
    expect(statSync(join(folder, "a/b")).mode & 0o777).toBe(0o700);
  });

  test("takes no link, no folder that others may write in, and none of somebody else", async () => {
    mkdirSync(join(folder, "target"));
    symlinkSync("target", join(folder, "link"));
    mkdirSync(join(folder, "open"));
    chmodSync(join(folder, "open"), 0o777);
    mkdirSync(join(folder, "foreign"));
    if (isRoot) chownSync(join(folder, "foreign"), 12_345, 12_345);
    for (const name of ["link", "open", ...(isRoot ? ["foreign"] : [])])
      await expect(make(name)).rejects.toMatchObject({ code: "FOREIGN_RESOURCE", message: expect.stringContaining(join(folder, name)) });
  });
});

test.runIf(isRoot)("giveTo gives a folder, and nothing that a link points to", async () => {
  const user = { uid: 12_345, gid: 12_345 };
  const [own, target, link] = ["own", "target", "link"].map((name) => join(folder, name)) as [string, string, string];
  for (const path of [own, target]) mkdirSync(path, { mode: 0o755 });
  symlinkSync("target", link);
  await giveTo(user, own);
  expect(statSync(own)).toMatchObject({ uid: 12_345, mode: 0o40700 });
  await expect(giveTo(user, link)).rejects.toMatchObject({ code: "FOREIGN_RESOURCE" });
  expect(statSync(target)).toMatchObject({ uid: 0, mode: 0o40755 });
});

describe("removeTree", () => {
  test("removes a folder, of links only themselves, and nothing twice", async () => {
    mkdirSync(join(folder, "tree/below"), { recursive: true });
    mkdirSync(join(folder, "kept"));
    writeFileSync(join(folder, "kept/file"), "x");
    for (const link of ["link", "tree/link"]) symlinkSync(join(folder, "kept"), join(folder, link));
    for (const name of ["tree", "tree", "link"]) await removeTree(join(folder, name));
    expect(["tree", "link", "kept/file"].map((name) => existsSync(join(folder, name)))).toEqual([false, false, true]);
  });

  test.runIf(isRoot)("takes the folder from its user before anything goes", async () => {
    const [tree, busy] = [join(folder, "tree"), join(folder, "tree/busy")];
    mkdirSync(busy, { recursive: true });
    chownSync(tree, 12_345, 12_345);
    // What is mounted cannot be removed, so that the folder can be looked at.
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", busy]);
    try {
      await expect(removeTree(tree)).rejects.toThrow("busy");
      expect(statSync(tree)).toMatchObject({ uid: 0, gid: 0, mode: 0o40700 });
    } finally {
      execFileSync("umount", [busy]);
    }
  });
});
