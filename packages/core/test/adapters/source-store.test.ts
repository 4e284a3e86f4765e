import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Digest } from "@helixstack/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf } from "../../src/adapters/stores/digests.ts";
import { openFolderSourceStore } from "../../src/adapters/stores/folder-source-store.ts";
import { snapshotDigest } from "../../src/adapters/stores/snapshot.ts";
import type { SnapshotEntry, SourceStore } from "../../src/ports/stores.ts";

let root: string;
let store: SourceStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "helix-sources-"));
  store = await openFolderSourceStore({ root: join(root, "store"), maxBlobBytes: 1_000 });
});
afterEach(() => rm(root, { recursive: true, force: true }));

function file(path: string, content: string, mode: "644" | "755" = "644"): SnapshotEntry {
  return { path, type: "file", mode, size: Buffer.byteLength(content), digest: digestOf(content) };
}
const link = (path: string, target: string): SnapshotEntry => ({ path, type: "link", target });
const folder = (path: string): SnapshotEntry => ({ path, type: "folder" });

async function put(...contents: readonly string[]): Promise<void> {
  for (const content of contents) await store.putBlob(digestOf(content), Readable.from([Buffer.from(content)]));
}

const temp = () => readdir(join(root, "store", "tmp"));

describe("contents", () => {
  it("are stored once, by digest, and asked for by digest", async () => {
    const [here, absent] = [digestOf("one"), digestOf("two")];
    await put("one", "one");
    expect(await store.missing([here, absent, absent])).toEqual([absent]);
    expect(await temp()).toEqual([]);
  });

  it("are refused when they are not what the digest says", async () => {
    const lie = store.putBlob(digestOf("one"), Readable.from([Buffer.from("two")]));
    await expect(lie).rejects.toMatchObject({ code: "SOURCE_INVALID" });
    expect(await store.missing([digestOf("one")])).toHaveLength(1);
    expect(await temp()).toEqual([]);
  });

  it("are refused when they are too large, and when they break off", async () => {
    const large = Buffer.alloc(1_001);
    await expect(store.putBlob(digestOf(large), Readable.from([large]))).rejects.toMatchObject({ code: "SOURCE_TOO_LARGE" });
    const broken = new Readable({
      read() {
        this.destroy(new Error("the connection broke"));
      },
    });
    await expect(store.putBlob(digestOf("one"), broken)).rejects.toThrow("the connection broke");
    expect(await temp()).toEqual([]);
  });

  it.each(["sha256:../../../../etc/passwd", "sha256:ab", `md5:${"0".repeat(64)}`])("are not looked for under %s", async (digest) => {
    await expect(store.putBlob(digest as Digest, Readable.from([]))).rejects.toMatchObject({ code: "SOURCE_INVALID" });
    await expect(store.missing([digest as Digest])).rejects.toMatchObject({ code: "SOURCE_INVALID" });
    expect(await store.getSnapshot(digest as Digest)).toBeNull();
  });

  it("may be put many times at once", async () => {
    await Promise.all(Array.from({ length: 20 }, () => put("same")));
    expect(await store.missing([digestOf("same")])).toEqual([]);
  });
});

describe("snapshots", () => {
  it("have one digest whatever the order, and are read back", async () => {
    await put("a", "b");
    const entries = [file("src/b.js", "b", "755"), file("a.txt", "a"), link("src/a", "../a.txt"), folder("src")];
    const one = await store.putSnapshot(entries);
    const two = await store.putSnapshot(entries.toReversed());
    expect(two).toEqual(one);
    expect(one.entries.map((entry) => entry.path)).toEqual(["a.txt", "src", "src/a", "src/b.js"]);
    expect(one.sizeBytes).toBe(2);
    expect(await store.getSnapshot(one.digest)).toEqual(one);
    expect(snapshotDigest(one.entries)).toBe(one.digest);
  });

  it("are refused while a content is missing, and name it", async () => {
    await put("a");
    const incomplete = store.putSnapshot([file("a", "a"), file("b", "b")]);
    await expect(incomplete).rejects.toMatchObject({ code: "SNAPSHOT_INCOMPLETE", options: { details: { missing: [digestOf("b")] } } });
  });

  it("are refused when a size is not the content's", async () => {
    await put("a");
    const entry = { ...file("a", "a"), size: 5 } as SnapshotEntry;
    await expect(store.putSnapshot([entry])).rejects.toMatchObject({ code: "SOURCE_INVALID" });
  });

  const hostile: readonly (readonly [string, readonly SnapshotEntry[]])[] = [
    ["an absolute path", [file("/etc/passwd", "a")]],
    ["a path that climbs", [file("../evil", "a")]],
    ["a path that climbs later", [file("a/../../evil", "a")]],
    ["a part that is a dot", [file("./a", "a")]],
    ["an empty part", [file("a//b", "a")]],
    ["a trailing slash", [folder("a/")]],
    ["an empty path", [file("", "a")]],
    ["a zero byte", [file("a\0b", "a")]],
    ["a backslash", [file("..\\evil", "a")]],
    ["half a character", [file("a\ud800", "a")]],
    ["a name that is too long", [file("x".repeat(256), "a")]],
    ["one path twice", [file("a", "a"), file("a", "b")]],
    ["a file below a file", [file("a", "a"), file("a/b", "b")]],
    ["a file below a link", [folder("d"), link("a", "d"), file("a/b", "b")]],
    ["an absolute link", [link("a", "/etc/passwd")]],
    ["a link that climbs out", [link("a/b", "../../etc")]],
    ["a link that climbs out through another link", [folder("x/y/z"), link("x/y/z/up", "../../.."), link("out", "x/y/z/up/../etc")]],
    ["links in a circle", [link("a", "b"), link("b", "a")]],
    ["an empty link", [link("a", "")]],
    ["an odd mode", [{ ...file("a", "a"), mode: "4755" } as unknown as SnapshotEntry]],
    ["a negative size", [{ ...file("a", "a"), size: -1 } as SnapshotEntry]],
    ["an odd type", [{ path: "a", type: "device" } as unknown as SnapshotEntry]],
    ["a digest that is a path", [{ ...file("a", "a"), digest: "sha256:../../x" } as SnapshotEntry]],
  ];
  it.each(hostile)("are refused with %s", async (_what, entries) => {
    await put("a", "b");
    await expect(store.putSnapshot(entries)).rejects.toMatchObject({ code: "SOURCE_INVALID" });
    expect(await readdir(join(root, "store"))).not.toContain("snapshots");
  });

  it("name the entry that is refused", async () => {
    await expect(store.putSnapshot([link("sub/evil", "../../x")])).rejects.toThrow(/"sub\/evil".*leads out/);
  });

  it.each([
    ["to the root", link("d/root", "..")],
    ["to what is not there", link("a", "nothing")],
    ["down and up again", link("a", "d/../e")],
    ["with two dots in a name", link("a", "..b")],
  ])("may have a link %s", async (_what, entry) => {
    expect((await store.putSnapshot([entry])).entries).toEqual([entry]);
  });

  it("whose file was damaged are not there, until they are put again", async () => {
    await put("a");
    const { digest } = await store.putSnapshot([file("a", "a")]);
    const path = join(root, "store", "snapshots", digest.slice(7));
    await writeFile(path, (await readFile(path, "utf8")).replace('"a"', '"b"'));
    expect(await store.getSnapshot(digest)).toBeNull();
    await store.putSnapshot([file("a", "a")]);
    expect(await store.getSnapshot(digest)).toMatchObject({ digest });
  });
});

describe("checkout", () => {
  it("writes a private copy with modes, links and empty folders", async () => {
    await put("a", "run");
    const { digest } = await store.putSnapshot([file("bin/run", "run", "755"), file("a", "a"), link("b", "a"), folder("empty")]);
    const target = join(root, "out");
    await store.checkout(digest, { folder: ".", target });
    expect((await stat(join(target, "bin/run"))).mode & 0o777).toBe(0o755);
    expect(await readlink(join(target, "b"))).toBe("a");
    expect((await stat(join(target, "empty"))).isDirectory()).toBe(true);
    await writeFile(join(target, "a"), "changed");
    const second = join(root, "second");
    await store.checkout(digest, { folder: ".", target: second });
    expect(await readFile(join(second, "a"), "utf8")).toBe("a");
  });

  it("writes one folder, and refuses a link that leaves it", async () => {
    await put("a", "b");
    const { digest } = await store.putSnapshot([file("web/a", "a"), link("web/here", "a"), file("webs", "b")]);
    await store.checkout(digest, { folder: "web", target: join(root, "out") });
    expect((await readdir(join(root, "out"))).toSorted()).toEqual(["a", "here"]);
    const other = await store.putSnapshot([file("web/a", "a"), link("web/shared", "../b"), file("b", "b")]);
    const leaving = store.checkout(other.digest, { folder: "web", target: join(root, "bad") });
    await expect(leaving).rejects.toThrow(/web\/shared leads out of the service's folder web/);
    await expect(store.checkout(digest, { folder: "nothing", target: join(root, "none") })).rejects.toMatchObject({
      code: "SOURCE_INVALID",
    });
  });

  it("writes into no folder that holds something already, and leaves nothing of what failed", async () => {
    await put("a", "b");
    const { digest } = await store.putSnapshot([file("a", "a"), file("b", "b")]);
    const full = join(root, "full");
    await mkdir(full);
    await writeFile(join(full, "mine"), "");
    await expect(store.checkout(digest, { folder: ".", target: full })).rejects.toThrow(/not empty/);
    const hex = digestOf("b").slice(7);
    await rm(join(root, "store", "blobs", hex.slice(0, 2), hex));
    await expect(store.checkout(digest, { folder: ".", target: join(root, "half") })).rejects.toMatchObject({
      code: "SNAPSHOT_INCOMPLETE",
    });
    expect(await readdir(root)).not.toContain("half");
  });
});

const NOW = { olderThanMs: 0 };
const HOUR = { olderThanMs: 3_600_000 };

describe("prune", () => {
  it("removes what no listed snapshot needs", async () => {
    await put("shared", "old", "new");
    const old = await store.putSnapshot([file("a", "shared"), file("b", "old")]);
    const kept = await store.putSnapshot([file("a", "shared"), file("b", "new")]);
    expect(await store.prune([kept.digest], NOW)).toBeGreaterThan(3);
    expect(await store.getSnapshot(old.digest)).toBeNull();
    expect(await store.missing([digestOf("shared"), digestOf("old"), digestOf("new")])).toEqual([digestOf("old")]);
    await store.checkout(kept.digest, { folder: ".", target: join(root, "out") });
  });

  it("leaves what is young: its deployment may not be recorded yet", async () => {
    await put("young", "old");
    await age("old");
    expect(await store.prune([], HOUR)).toBe(3);
    expect(await store.missing([digestOf("young"), digestOf("old")])).toEqual([digestOf("old")]);
  });

  it("leaves what somebody was told is here: it will not be sent, and a snapshot names it next", async () => {
    await put("counted on");
    await age("counted on");
    expect(await store.missing([digestOf("counted on")])).toEqual([]);
    expect(await store.prune([], HOUR)).toBe(0);
    await store.putSnapshot([file("a", "counted on")]);
  });

  it("leaves a list that was put again, what it names, and what it named while something was missing", async () => {
    const entries = [file("a", "one"), file("b", "two")];
    await put("one");
    await age("one");
    await expect(store.putSnapshot(entries)).rejects.toMatchObject({ code: "SNAPSHOT_INCOMPLETE" });
    expect(await store.prune([], HOUR)).toBe(0);
    await put("two");
    const { digest } = await store.putSnapshot(entries);
    await utimes(join(root, "store", "snapshots", digest.slice(7)), new Date(0), new Date(0));
    expect(await store.putSnapshot(entries)).toMatchObject({ digest });
    expect(await store.prune([], HOUR)).toBe(0);
    expect(await store.getSnapshot(digest)).not.toBeNull();
  });
});

/** As if it had been stored long ago. */
async function age(content: string): Promise<void> {
  const hex = digestOf(content).slice(7);
  await utimes(join(root, "store", "blobs", hex.slice(0, 2), hex), new Date(0), new Date(0));
}

it("sweeps what a process left that is gone, and leaves its neighbours'", async () => {
  await writeFile(join(root, "store", "tmp", "999999999-abc"), "half");
  await writeFile(join(root, "store", "tmp", `${process.pid}-abc`), "half");
  await openFolderSourceStore({ root: join(root, "store") });
  expect(await temp()).toEqual([`${process.pid}-abc`]);
});

describe("drop", () => {
  it("removes a snapshot of any age, and only the contents that no other has", async () => {
    const careful = await openFolderSourceStore({ root: join(root, "store") });
    await put("shared", "alone");
    const dropped = await careful.putSnapshot([file("a", "shared"), file("b", "alone")]);
    const kept = await careful.putSnapshot([file("a", "shared")]);
    expect(await careful.drop([dropped.digest, dropped.digest])).toBeGreaterThan(5);
    expect(await careful.getSnapshot(dropped.digest)).toBeNull();
    expect(await careful.missing([digestOf("shared"), digestOf("alone")])).toEqual([digestOf("alone")]);
    expect(await careful.drop([dropped.digest])).toBe(0);
    await careful.checkout(kept.digest, { folder: ".", target: join(root, "out") });
  });
});
