import { EngineError } from "@helixstack/core/client";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Http } from "../client/http.ts";
import type { Content } from "./upload.ts";
import { SourceChanged, unreadable } from "./walk.ts";

export interface Sending {
  readonly http: Http;
  readonly root: string;
  /** Told of bytes as they go. */
  readonly onSent: (size: number) => void;
}

const BATCH_TYPE = "application/vnd.helix.blobs";
const CHUNK = 256 * 1024;

/** Sends several small contents in one body: for each a line `<digest> <size>` and its bytes. Rejects with `SourceChanged` for one that is not what it was. */
export async function sendBatch(contents: readonly Content[], { http, root, onSent }: Sending): Promise<void> {
  const parts: Buffer[] = [];
  for (const { digest, path, size } of contents) {
    const bytes = await readFile(join(root, path)).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    if (digestOf(bytes) !== digest) throw new SourceChanged(path);
    parts.push(Buffer.from(`${digest} ${size}\n`), bytes);
  }
  const body = Buffer.concat(parts);
  await http.request("POST", "/v1/blobs", { content: () => body, headers: { "content-type": BATCH_TYPE }, repeatable: true });
  for (const { size } of contents) onSent(size);
}

/** Sends one content as a stream. Rejects with `SourceChanged` when the file is not what it was. */
export async function sendLarge(content: Content, { http, root, onSent }: Sending): Promise<void> {
  let change: Error | null = null;
  const onChanged = (error: Error) => {
    change = error;
    return error;
  };
  const stream = () => Readable.from(bytesOf(content, { root, onSent, onChanged }), { objectMode: false });
  try {
    // With the length said first, a server that takes less can refuse before a byte is sent.
    const headers = { "content-type": "application/octet-stream", "content-length": String(content.size) };
    await http.request("PUT", `/v1/blobs/${encodeURIComponent(content.digest)}`, { content: stream, headers });
  } catch (error) {
    if (change) throw change;
    // The server compares the digest as well, and may have been faster to say so.
    if (error instanceof EngineError && error.code === "SOURCE_INVALID") throw new SourceChanged(content.path);
    throw error;
  }
}

interface Reading {
  readonly root: string;
  readonly onSent: (size: number) => void;
  readonly onChanged: (error: Error) => Error;
}

/** The file's bytes. The last ones are held back until the whole is known to be what the digest says. */
async function* bytesOf({ digest, path, size }: Content, { root, onSent, onChanged }: Reading): AsyncGenerator<Buffer> {
  const sum = createHash("sha256");
  let read = 0;
  try {
    for await (const chunk of createReadStream(join(root, path), { highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
      sum.update(chunk);
      read += chunk.length;
      const isRight = read < size || (read === size && `sha256:${sum.copy().digest("hex")}` === digest);
      if (!isRight) throw new SourceChanged(path);
      yield chunk;
      onSent(chunk.length);
    }
  } catch (error) {
    throw onChanged(error instanceof SourceChanged ? error : unreadable(path, error));
  }
  if (read !== size) throw onChanged(new SourceChanged(path));
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
