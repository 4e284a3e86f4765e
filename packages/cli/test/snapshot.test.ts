import { createHash } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ManifestFile, readManifestFile } from "../src/project/manifest-file.ts";
import type { DigestCache } from "../src/source/digest.ts";
import { projectSnapshot } from "../src/source/project-source.ts";
import { takeSnapshot, whileItHolds } from "../src/source/snapshot.ts";
import { SourceChanged } from "../src/source/walk.ts";
import { folderWith } from "./support/folder.ts";

const sha = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const manifest = (folder: string): ManifestFile => readManifestFile({ cwd: folder, environment: "production" });

it("lists files with size, mode and digest, each content once", async () => {
  const root = folderWith({ "a.txt": "hello", "b.txt": "hello", "bin/run": "x" });
  chmodSync(join(root, "bin/run"), 0o755);
  const { entries, contents, sizeBytes } = await takeSnapshot({ root, sources: ["."], except: [] });
  expect(entries).toEqual([
    { path: "a.txt", type: "file", mode: "644", size: 5, digest: sha("hello") },
    { path: "b.txt", type: "file", mode: "644", size: 5, digest: sha("hello") },
    { path: "bin", type: "folder" },
    { path: "bin/run", type: "file", mode: "755", size: 1, digest: sha("x") },
  ]);
  expect(contents.size).toBe(2);
  expect(sizeBytes).toBe(11);
});

it("reads only what was touched when it has read before", async () => {
  const root = folderWith({ "a.txt": "one", "b.txt": "two" });
  const cache: DigestCache = new Map();
  await takeSnapshot({ root, sources: ["."], except: [] }, cache);
  const kept = cache.get("a.txt");
  writeFileSync(join(root, "b.txt"), "new");
  const { contents } = await takeSnapshot({ root, sources: ["."], except: [] }, cache);
  expect(cache.get("a.txt")).toBe(kept);
  expect([...contents.keys()]).toContain(sha("new"));
});

it("looks again when a file changes under it, and gives up by name", async () => {
  let tries = 0;
  expect(await whileItHolds(() => (++tries < 3 ? Promise.reject(new SourceChanged("x")) : Promise.resolve("there")))).toBe("there");
  await expect(whileItHolds(() => Promise.reject(new SourceChanged("log.txt")))).rejects.toMatchObject({
    code: "SOURCE_INVALID",
    message: expect.stringContaining("log.txt"),
  });
});

describe("a project's source", () => {
  const site = "project: p\nservices:\n  site: { source: ., build: static, static: { dir: dist } }\n";

  it("whose static folder an ignore file hides is refused, with the pattern and the way out", async () => {
    const root = folderWith({ "helix.yaml": site, ".gitignore": "dist\n", "dist/index.html": "" });
    await expect(projectSnapshot(manifest(root))).rejects.toMatchObject({
      code: "SOURCE_INVALID",
      message: expect.stringMatching(/dist.*\.gitignore/),
      options: { hint: expect.stringContaining(".helixignore") },
    });
    writeFileSync(join(root, ".helixignore"), "");
    expect((await projectSnapshot(manifest(root))).entries.map(({ path }) => path)).toContain("dist/index.html");
  });

  it("whose static folder is made by a build script need not have it", async () => {
    const root = folderWith({
      "helix.yaml": site,
      ".gitignore": "dist\n",
      "dist/old.html": "",
      "package.json": JSON.stringify({ scripts: { build: "vite build" } }),
    });
    expect((await projectSnapshot(manifest(root))).entries.map(({ path }) => path)).not.toContain("dist/old.html");
  });

  it("whose service folder is hidden, missing or outside is refused", async () => {
    const hidden = folderWith({
      "helix.yaml": "project: p\nservices:\n  web: { source: ./out, build: node }\n",
      ".gitignore": "out\n",
      "out/a.js": "",
    });
    await expect(projectSnapshot(manifest(hidden))).rejects.toMatchObject({ message: expect.stringContaining("hidden by `out`") });
    const missing = folderWith({ "helix.yaml": "project: p\nservices:\n  web: { source: ./nowhere, build: node }\n" });
    await expect(projectSnapshot(manifest(missing))).rejects.toMatchObject({
      code: "SOURCE_INVALID",
      message: expect.stringContaining("nowhere"),
    });
    const outside = folderWith({ "helix.yaml": "project: p\nservices:\n  web: { source: ../x, build: node }\n" });
    await expect(projectSnapshot(manifest(outside))).rejects.toMatchObject({
      message: expect.stringContaining("outside the manifest's folder"),
    });
  });

  it("never holds the manifest, under any name", async () => {
    const root = folderWith({ "helix.yaml": site, "other.yaml": "project: p\nservices:\n  web: { build: node }\n", "a.js": "" });
    const other = readManifestFile({ cwd: root, file: "other.yaml", environment: "production" });
    expect((await projectSnapshot(other)).entries.map(({ path }) => path)).toEqual(["a.js"]);
  });
});
