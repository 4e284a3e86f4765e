import type { Digest } from "@helixstack/sdk";
import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { SourceChanged, unreadable } from "./walk.ts";

/** What a file was when it was read. */
export interface FileDigest {
  readonly digest: Digest;
  readonly size: number;
  readonly mode: "644" | "755";
}

/** Digests by path with the file's traits at that time: what was not touched is not read again. */
export type DigestCache = Map<string, { readonly traits: string; readonly file: FileDigest }>;

const CHUNK = 1024 * 1024;

/** Digest, size and mode of one file. Rejects with `SourceChanged` when it changes while it is read. */
export async function digestFile(
  path: string,
  { root, cache }: { readonly root: string; readonly cache: DigestCache },
): Promise<FileDigest> {
  const handle = await open(join(root, path), "r").catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const before = await handle.stat({ bigint: true });
    const known = cache.get(path);
    if (known?.traits === traitsOf(before)) return known.file;
    const { digest, size } = await hash(handle, path);
    if (traitsOf(await handle.stat({ bigint: true })) !== traitsOf(before)) throw new SourceChanged(path);
    const file = { digest, size, mode: (before.mode & 0o100n) === 0n ? "644" : "755" } as const;
    cache.set(path, { traits: traitsOf(before), file });
    return file;
  } finally {
    await handle.close();
  }
}

async function hash(handle: FileHandle, path: string): Promise<{ digest: Digest; size: number }> {
  const sum = createHash("sha256");
  const { size: expected } = await handle.stat();
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK, expected + 1)));
  let size = 0;
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return { digest: `sha256:${sum.digest("hex")}`, size };
      size += bytesRead;
      sum.update(buffer.subarray(0, bytesRead));
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

function traitsOf(stat: BigIntStats): string {
  return [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs, stat.mode].join(" ");
}
