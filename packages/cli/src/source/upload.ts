import type { Digest } from "@helixstack/sdk";
import { EngineError } from "@helixstack/core/client";
import type { Api } from "../client/api.ts";
import type { Http } from "../client/http.ts";
import { eachOf } from "../each-of.ts";
import { bytes } from "../output/time.ts";
import { sendBatch, sendLarge } from "./send.ts";
import type { LocalSnapshot } from "./snapshot.ts";

export interface UploadOptions {
  readonly http: Http;
  readonly api: Api;
  /** Bytes sent of bytes to send; called often. */
  readonly onProgress: (sent: number, total: number) => void;
}

/** One content to send. */
export interface Content {
  readonly digest: Digest;
  /** Relative to the root. */
  readonly path: string;
  readonly size: number;
}

const AT_ONCE = 4;
/** Smaller contents travel together: a request each would cost more than their bytes. */
const SMALL_BYTES = 256 * 1024;
/** How many files are named where all are too much. */
const LARGEST = 3;
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_COUNT = 500;

/**
 * Stores the list; where the control plane lacks contents of it, sends those and then the list again. Resolves to the snapshot's digest. Large contents are
 * streamed, never held in memory.
 */
export async function uploadSnapshot(snapshot: LocalSnapshot, options: UploadOptions): Promise<string> {
  const putList = async () => (await options.api.putSnapshot(snapshot.entries)).digest;
  try {
    return await putList().catch(async (error: unknown) => {
      await sendContents(missingIn(error, snapshot), snapshot, options);
      return putList();
    });
  } catch (error) {
    throw withLargest(error, snapshot);
  }
}

async function sendContents(missing: readonly Content[], { root }: LocalSnapshot, { http, onProgress }: UploadOptions): Promise<void> {
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  let sent = 0;
  const sending = { http, root, onSent: (size: number) => onProgress((sent += size), total) };
  const batches = inBatches(missing.filter(({ size }) => size <= SMALL_BYTES));
  const large = missing.filter(({ size }) => size > SMALL_BYTES);
  const sends = [...batches.map((batch) => () => sendBatch(batch, sending)), ...large.map((content) => () => sendLarge(content, sending))];
  await eachOf(sends, { atOnce: AT_ONCE }, (send) => send());
}

/** The contents that an answer names as missing. Throws any other error. */
function missingIn(error: unknown, { contents }: LocalSnapshot): readonly Content[] {
  if (!(error instanceof EngineError) || error.code !== "SNAPSHOT_INCOMPLETE") throw error;
  const missing = error.options.details?.["missing"] as readonly Digest[];
  return missing.map((digest) => ({ digest, ...contents.get(digest)! }));
}

/** A source that is too large is most often one file that nobody meant to send. */
function withLargest(error: unknown, { contents }: LocalSnapshot): unknown {
  if (!(error instanceof EngineError) || error.code !== "SOURCE_TOO_LARGE") return error;
  const largest = [...contents.values()].toSorted((a, b) => b.size - a.size).slice(0, LARGEST);
  const named = largest.map(({ path, size }) => `${path} (${bytes(size)})`).join(", ");
  return new EngineError(error.code, `${error.message}; its largest files: ${named}`, error.options);
}

function inBatches(contents: readonly Content[]): readonly (readonly Content[])[] {
  const batches: Content[][] = [];
  let bytes = 0;
  for (const content of contents) {
    const last = batches.at(-1);
    bytes += content.size;
    if (last && bytes <= BATCH_BYTES && last.length < BATCH_COUNT) last.push(content);
    else {
      batches.push([content]);
      bytes = content.size;
    }
  }
  return batches;
}
