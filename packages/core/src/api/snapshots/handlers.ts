import type { Digest } from "@helixstack/sdk";
import { Readable } from "node:stream";
import { EngineError } from "../../domain/errors.ts";
import type { SnapshotEntry } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import { type Frame, readFrames } from "./frames.ts";

type Deps = Pick<ApiDeps, "sources" | "settings">;

/** Which contents have to be sent. */
export async function findMissing({ sources }: Deps, digests: readonly string[]) {
  return { missing: await sources.missing([...new Set(digests)] as Digest[]) };
}

/** Stores one content as it arrives. */
export async function storeBlob(
  { sources, settings }: Deps,
  digest: string,
  { body, length }: { body: Readable; length: number | null },
): Promise<void> {
  if (length !== null) checkSize(length, settings);
  await sources.putBlob(digest as Digest, Readable.from(counted(body, settings), { objectMode: false }));
}

/** Stores many contents of one body, one after the other. */
export async function storeBlobs({ sources, settings }: Deps, body: Readable): Promise<{ stored: number }> {
  let stored = 0;
  let total = 0;
  for await (const frame of readFrames(chunksOf(body))) {
    checkSize((total += frame.size), settings);
    await storeFrame({ sources }, frame);
    stored += 1;
  }
  return { stored };
}

/** A content that the store has already is not asked for its bytes; they have to leave the body all the same. */
async function storeFrame({ sources }: Pick<Deps, "sources">, { digest, content }: Frame): Promise<void> {
  const readable = Readable.from(content, { objectMode: false });
  await sources.putBlob(digest, readable);
  if (readable.readableEnded) return;
  readable.resume();
  await new Promise<void>((resolve, reject) => readable.once("end", resolve).once("error", reject));
}

/** Stores the list of a snapshot. */
export async function storeSnapshot({ sources, settings }: Deps, entries: readonly SnapshotEntry[]) {
  checkSize(
    entries.reduce((sum, entry) => sum + (entry.type === "file" ? entry.size : 0), 0),
    settings,
  );
  const { digest, sizeBytes } = await sources.putSnapshot(entries);
  return { digest, sizeBytes };
}

async function* counted(body: Readable, settings: Deps["settings"]): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const chunk of chunksOf(body)) {
    checkSize((total += chunk.length), settings);
    yield chunk;
  }
}

/** A body that is refused in the middle is not torn down with its connection: the answer goes the same way. */
function chunksOf(body: Readable): AsyncIterable<Buffer> {
  return body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

function checkSize(bytes: number, { maxSourceBytes }: Deps["settings"]): void {
  if (bytes <= maxSourceBytes) return;
  const limit = `${Math.floor(maxSourceBytes / 2 ** 20)} MiB`;
  throw new EngineError("SOURCE_TOO_LARGE", `the source is larger than the ${limit} that this server takes`, {
    hint: "List what is not needed in .helixignore, or raise HELIX_MAX_SOURCE of the server.",
    details: { maxSourceBytes },
  });
}
