import type { Digest } from "@helixstack/sdk";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { EngineError } from "@helixstack/core/client";
import type { Api } from "../client/api.ts";
import type { Http } from "../client/http.ts";
import { eachOf } from "../each-of.ts";
import type { LocalSnapshot } from "./snapshot.ts";
import { SourceChanged, unreadable } from "./walk.ts";

export interface UploadOptions {
  readonly http: Http;
  readonly api: Api;
  /** Bytes sent of bytes to send; called often. */
  readonly onProgress: (sent: number, total: number) => void;
}

const AT_ONCE = 6;
const ASKED_AT_ONCE = 10_000;

/** Sends what the control plane does not have yet, then the list. Resolves to the snapshot's digest. Contents are streamed, never held in memory. */
export async function uploadSnapshot(snapshot: LocalSnapshot, options: UploadOptions): Promise<string> {
  const missing = await missingOf([...snapshot.contents.keys()], options.api);
  const total = missing.reduce((sum, digest) => sum + snapshot.contents.get(digest)!.size, 0);
  let sent = 0;
  await eachOf(missing, { atOnce: AT_ONCE }, async (digest) => {
    await sendContent(
      digest,
      { ...snapshot.contents.get(digest)!, root: snapshot.root },
      { ...options, onChunk: (size) => options.onProgress((sent += size), total) },
    );
  });
  return (await options.api.putSnapshot(snapshot.entries)).digest;
}

async function missingOf(digests: readonly Digest[], api: Api): Promise<readonly Digest[]> {
  const missing: Digest[] = [];
  for (let from = 0; from < digests.length; from += ASKED_AT_ONCE)
    missing.push(...(await api.missing(digests.slice(from, from + ASKED_AT_ONCE))));
  return missing;
}

interface Content {
  readonly root: string;
  readonly path: string;
  readonly size: number;
}

async function sendContent(
  digest: Digest,
  file: Content,
  { http, onChunk }: UploadOptions & { readonly onChunk: (size: number) => void },
): Promise<void> {
  let changed = false;
  const content = () => ReadableStream.from(contentOf(digest, file, { onChunk, onChanged: () => (changed = true) }));
  try {
    await http.request("PUT", `/v1/blobs/${encodeURIComponent(digest)}`, {
      content,
      headers: { "content-type": "application/octet-stream" },
    });
  } catch (error) {
    // The server compares the digest as well, and may have been faster to say so.
    if (changed || (error instanceof EngineError && error.code === "SOURCE_INVALID")) throw new SourceChanged(file.path);
    throw error;
  }
}

/** The file's bytes. Fails, so that the request breaks off, when they are not those of the digest. */
async function* contentOf(
  digest: Digest,
  { root, path, size }: Content,
  { onChunk, onChanged }: { onChunk: (size: number) => void; onChanged: () => void },
) {
  const sum = createHash("sha256");
  let read = 0;
  try {
    for await (const chunk of createReadStream(join(root, path), { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
      sum.update(chunk);
      read += chunk.length;
      if (read > size) break;
      // The last bytes are held back until the whole is known to be right.
      if (read === size && `sha256:${sum.copy().digest("hex")}` !== digest) break;
      onChunk(chunk.length);
      yield chunk;
    }
  } catch (error) {
    onChanged();
    throw unreadable(path, error);
  }
  if (read === size && `sha256:${sum.digest("hex")}` === digest) return;
  onChanged();
  throw new SourceChanged(path);
}
