import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/adapters/stores/digests.ts";
import { openFileLogStore, openFolderArtifactStore, openFolderSourceStore } from "../../src/adapters/stores/index.ts";
import { mountTinyDisk } from "../support/tiny-disk.ts";

const disk = await mountTinyDisk();
afterAll(() => disk?.unmount());

// Needs a user who may mount a file system of its own.
describe.skipIf(disk === null)("a full disk", () => {
  const big = Buffer.alloc(4 * 1024 * 1024, "x");

  it("refuses a source, leaves nothing of it, and takes the next that fits", async () => {
    const root = join(disk!.folder, "sources");
    const store = await openFolderSourceStore({ root });
    await expect(store.putBlob(digestOf(big), Readable.from([big]))).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(await readdir(join(root, "tmp"))).toEqual([]);
    await store.putBlob(digestOf("small"), Readable.from([Buffer.from("small")]));
    expect(await store.missing([digestOf("small"), digestOf(big)])).toEqual([digestOf(big)]);
  });

  it("refuses a checkout, and leaves nothing of it", async () => {
    const store = await openFolderSourceStore({ root: join(disk!.folder, "sources") });
    const part = Buffer.alloc(400 * 1024, "p");
    await store.putBlob(digestOf(part), Readable.from([part]));
    const entry = { type: "file", mode: "644", size: part.length, digest: digestOf(part) } as const;
    const { digest } = await store.putSnapshot([
      { ...entry, path: "a" },
      { ...entry, path: "b" },
    ]);
    const target = join(disk!.folder, "out");
    await expect(store.checkout(digest, { folder: ".", target })).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(await readdir(disk!.folder)).not.toContain("out");
    const elsewhere = `${disk!.folder}-out`;
    await store.checkout(digest, { folder: ".", target: elsewhere });
    await rm(elsewhere, { recursive: true });
  });

  it("refuses an artifact from another file system, and leaves nothing of it", async () => {
    const root = join(disk!.folder, "artifacts");
    const store = await openFolderArtifactStore({ root });
    const folder = `${disk!.folder}-build`;
    await mkdir(folder);
    await writeFile(join(folder, "big"), big);
    await expect(store.put("static-site", { folder, metadata: { fallback: null } })).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(await readdir(root)).toEqual(["tmp"]);
    expect(await readdir(join(root, "tmp"))).toEqual([]);
    expect(await readdir(folder)).toEqual(["big"]);
    await rm(folder, { recursive: true });
  });

  it("says so to who writes a log, and goes on when there is room", async () => {
    const store = await openFileLogStore({ root: join(disk!.folder, "logs") });
    const line = { at: "2026-11-21T10:00:00.000Z", level: "info", step: null, text: "x".repeat(60_000) } as const;
    const writing = (async () => {
      for (let i = 0; i < 40; i++) await store.append("deployment:a", [line]);
    })();
    await expect(writing).rejects.toMatchObject({ code: "DISK_FULL" });
    await store.remove("deployment:a");
    await store.append("deployment:b", [{ ...line, text: "room" }]);
    expect(await store.tail("deployment:b", 1)).toMatchObject([{ text: "room" }]);
  });
});
