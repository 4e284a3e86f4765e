import { createHash } from "node:crypto";
import { mkdir, open, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import type { Digest } from "@helixstack/sdk";
import { EngineError } from "../../domain/errors.ts";
import { exists, toDiskError } from "../files.ts";
import { hexOf, isDigest } from "./digests.ts";
import { tempPath } from "./temp.ts";

/** Where contents are, and how large one may be. */
export interface BlobFolder {
  readonly blobs: string;
  readonly temp: string;
  readonly maxBytes: number;
}

/** The file of a content. Folders by the first two digits keep each small. */
export function blobPath({ blobs }: BlobFolder, digest: Digest): string {
  const hex = hexOf(digest);
  return join(blobs, hex.slice(0, 2), hex);
}

/** Size of a content that is there; null when it is not. */
export async function blobSize(folder: BlobFolder, digest: Digest): Promise<number | null> {
  return stat(blobPath(folder, digest)).then(
    ({ size }) => size,
    () => null,
  );
}

/** Writes beside, checks while it streams, and renames: what stands under a digest is whole and has it. */
export async function writeBlob(folder: BlobFolder, digest: Digest, content: Readable): Promise<void> {
  if (!isDigest(digest)) throw new EngineError("SOURCE_INVALID", `${JSON.stringify(digest)} is not sha256: and 64 digits`);
  const path = blobPath(folder, digest);
  if (await exists(path)) {
    // Read to its end, so that whoever sends it is not cut off; and fresh again, so that no prune takes it before its snapshot comes.
    await utimes(path, new Date(), new Date());
    await finished(content.resume(), { writable: false });
    return;
  }
  const half = tempPath(folder.temp);
  try {
    await mkdir(join(path, ".."), { recursive: true });
    const seen = await receive(half, content, folder.maxBytes);
    if (seen !== digest) throw new EngineError("SOURCE_INVALID", `the content that was sent for ${digest} is ${seen}`);
    await rename(half, path);
  } catch (thrown) {
    await rm(half, { force: true });
    throw toDiskError(thrown, path);
  }
}

async function receive(path: string, content: Readable, maxBytes: number): Promise<Digest> {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o644);
  try {
    let size = 0;
    for await (const chunk of content as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > maxBytes) throw new EngineError("SOURCE_TOO_LARGE", `a file of the source is larger than ${maxBytes} bytes`);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return `sha256:${hash.digest("hex")}`;
}
