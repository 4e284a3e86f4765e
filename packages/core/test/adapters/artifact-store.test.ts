import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openFolderArtifactStore } from "../../src/adapters/stores/folder-artifact-store.ts";
import type { ArtifactStore } from "../../src/ports/stores.ts";

let root: string;
let store: ArtifactStore;
const metadata = { fallback: null };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "helix-artifacts-"));
  store = await openFolderArtifactStore({ root: join(root, "store") });
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function build(
  name: string,
  files: Readonly<Record<string, string>> = { "index.html": "hello", "assets/app.js": "1" },
): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

const put = (folder: string) => store.put("static-site", { folder, metadata });
const stored = async () => (await readdir(join(root, "store"))).filter((name) => name !== "tmp");

it("moves a folder under its digest, and finds it again", async () => {
  const folder = await build("out");
  await symlink("index.html", join(folder, "start"));
  const artifact = await put(folder);
  expect(artifact).toMatchObject({ kind: "static-site", metadata });
  expect(await readFile(join(fileURLToPath(artifact.uri), "start"), "utf8")).toBe("hello");
  expect(await readdir(root)).toEqual(["store"]);
  expect(await store.has(artifact)).toBe(true);
  expect(await store.has({ ...artifact, digest: `sha256:${"0".repeat(64)}` })).toBe(false);
  expect(await store.has({ ...artifact, uri: "docker-image:sha256:1" })).toBe(false);
});

it("stores the same content once, also of several at once", async () => {
  const folders = await Promise.all(Array.from({ length: 8 }, (_, i) => build(`out${i}`)));
  const artifacts = await Promise.all(folders.map(put));
  expect(new Set(artifacts.map((artifact) => artifact.digest)).size).toBe(1);
  expect(await stored()).toHaveLength(1);
  expect(await readdir(join(root, "store", "tmp"))).toEqual([]);
  expect(await store.has(artifacts[0]!)).toBe(true);
});

it("digests contents, names and whether a file is executable, but neither times nor the umask", async () => {
  const [plain, again, executable, renamed, changed] = await Promise.all([
    build("1"),
    build("2"),
    build("3"),
    build("4", { "index.htm": "hello", "assets/app.js": "1" }),
    build("5", { "index.html": "hellO", "assets/app.js": "1" }),
  ]);
  await chmod(join(again, "index.html"), 0o600);
  await chmod(join(again, "assets"), 0o700);
  await chmod(join(executable, "assets/app.js"), 0o755);
  const digests = [];
  for (const folder of [plain, again, executable, renamed, changed]) digests.push((await put(folder)).digest);
  expect(digests[1]).toBe(digests[0]);
  expect(new Set(digests).size).toBe(4);
});

it("opens files to every reader, and to no other writer", async () => {
  const folder = await build("out");
  await chmod(join(folder, "index.html"), 0o600);
  await chmod(join(folder, "assets/app.js"), 0o777);
  const content = fileURLToPath((await put(folder)).uri);
  expect((await stat(join(content, "index.html"))).mode & 0o777).toBe(0o644);
  expect((await stat(join(content, "assets/app.js"))).mode & 0o777).toBe(0o755);
});

it.each(["/etc/passwd", "../../outside", "assets/../../outside"])("refuses a link to %s, by name", async (target) => {
  const folder = await build("out");
  await symlink(target, join(folder, "evil"));
  await expect(put(folder)).rejects.toMatchObject({ code: "BUILD_FAILED", message: expect.stringContaining('"evil"') as string });
  expect(await stored()).toEqual([]);
  expect(await readdir(join(root, "store", "tmp"))).toEqual([]);
});

it("refuses what is neither file nor folder nor link", async () => {
  const folder = await build("out");
  const server = createServer().listen(join(folder, "socket"));
  await once(server, "listening");
  await expect(put(folder)).rejects.toThrow(/"socket"/);
  server.close();
});

it("does not have what lost its end or its marker, and replaces it", async () => {
  const artifact = await put(await build("out"));
  const content = fileURLToPath(artifact.uri);
  const marker = join(content, "..", "artifact.json");
  // As after a power cut: the marker is of an earlier boot, and a file never reached the disk.
  await writeFile(marker, (await readFile(marker, "utf8")).replace(/"boot":"[^"]*"/, '"boot":"earlier"'));
  expect(await store.has(artifact)).toBe(true);
  await writeFile(marker, (await readFile(marker, "utf8")).replace(/"boot":"[^"]*"/, '"boot":"earlier"'));
  await truncate(join(content, "index.html"));
  expect(await store.has(artifact)).toBe(false);
  await put(await build("again"));
  expect(await readFile(join(content, "index.html"), "utf8")).toBe("hello");
  expect(await store.has(artifact)).toBe(true);
  await rm(marker);
  expect(await store.has(artifact)).toBe(false);
});

it("prunes what is not listed", async () => {
  const kept = await put(await build("1"));
  const gone = await put(await build("2", { a: "four" }));
  expect(await store.prune([kept.digest], { olderThanMs: 0 })).toBe(4);
  expect(await store.has(kept)).toBe(true);
  expect(await store.has(gone)).toBe(false);
  const hour = { olderThanMs: 3_600_000 };
  expect(await store.prune([], hour)).toBe(0);
  // Who asks for an artifact counts on it.
  await utimes(join(root, "store", kept.digest.slice(7)), new Date(0), new Date(0));
  expect(await store.has(kept)).toBe(true);
  expect(await store.prune([], hour)).toBe(0);
  await utimes(join(root, "store", kept.digest.slice(7)), new Date(0), new Date(0));
  expect(await store.prune([], hour)).toBeGreaterThan(0);
  expect(await store.has(kept)).toBe(false);
  expect(await store.drop([gone.digest, kept.digest])).toBe(0);
});
