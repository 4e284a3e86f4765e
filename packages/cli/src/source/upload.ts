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
const ASKED_AT_ONCE = 50_000;
/** Smaller contents travel together: a request each would cost more than their bytes. */
const SMALL_BYTES = 256 * 1024;
/** How many files are named where all are too much. */
const LARGEST = 3;
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_COUNT = 500;

/** Sends what the control plane does not have yet, then the list. Resolves to the snapshot's digest. Large contents are streamed, never held in memory. */
export async function uploadSnapshot(snapshot: LocalSnapshot, { http, api, onProgress }: UploadOptions): Promise<string> {
  const missing = await missingOf(snapshot, api);
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  let sent = 0;
  const sending = { http, root: snapshot.root, onSent: (size: number) => onProgress((sent += size), total) };
  const batches = inBatches(missing.filter(({ size }) => size <= SMALL_BYTES));
  const large = missing.filter(({ size }) => size > SMALL_BYTES);
  const sends = [...batches.map((batch) => () => sendBatch(batch, sending)), ...large.map((content) => () => sendLarge(content, sending))];
  try {
    await eachOf(sends, { atOnce: AT_ONCE }, (send) => send());
    return (await api.putSnapshot(snapshot.entries)).digest;
  } catch (error) {
    throw withLargest(error, snapshot);
  }
}

/** A source that is too large is most often one file that nobody meant to send. */
function withLargest(error: unknown, { contents }: LocalSnapshot): unknown {
  if (!(error instanceof EngineError) || error.code !== "SOURCE_TOO_LARGE") return error;
  const largest = [...contents.values()].toSorted((a, b) => b.size - a.size).slice(0, LARGEST);
  const named = largest.map(({ path, size }) => `${path} (${bytes(size)})`).join(", ");
  return new EngineError(error.code, `${error.message}; its largest files: ${named}`, error.options);
}

async function missingOf({ contents }: LocalSnapshot, api: Api): Promise<readonly Content[]> {
  const digests = [...contents.keys()];
  const missing: Content[] = [];
  for (let from = 0; from < digests.length; from += ASKED_AT_ONCE) {
    const lacking = await api.missing(digests.slice(from, from + ASKED_AT_ONCE));
    missing.push(...lacking.map((digest) => ({ digest, ...contents.get(digest)! })));
  }
  return missing;
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
