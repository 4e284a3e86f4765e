import { Readable } from "node:stream";
import type { SnapshotEntry } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import type { Api } from "../types.ts";
import { BLOBS_TYPE } from "./frames.ts";
import { findMissing, storeBlob, storeBlobs, storeSnapshot } from "./handlers.ts";
import { SNAPSHOT_SCHEMAS as schemas } from "./schema.ts";

const DROP_MS = 30_000;

/** Lists of entries are long: half a million of them. */
export const ENTRIES_LIMIT = 128 * 2 ** 20;

export async function snapshotRoutes(api: Api, deps: ApiDeps): Promise<void> {
  // Contents are streamed to the store, never collected; their limit is counted there.
  for (const type of ["application/octet-stream", BLOBS_TYPE])
    api.addContentTypeParser(type, (_request, payload, done) => done(null, payload));

  api.post("/snapshots/missing", { bodyLimit: ENTRIES_LIMIT, schema: schemas.findMissing }, (request) =>
    findMissing(deps, request.body.digests),
  );

  api.put("/blobs/:digest", { schema: schemas.storeBlob }, async (request, reply) => {
    const length = Number(request.headers["content-length"] ?? Number.NaN);
    const body = bodyOf(request);
    await restDropped(body, storeBlob(deps, request.params.digest, { body, length: Number.isNaN(length) ? null : length }));
    return reply.code(204).send();
  });

  api.post("/blobs", { schema: schemas.storeBlobs }, (request) => restDropped(bodyOf(request), storeBlobs(deps, bodyOf(request))));

  api.post("/snapshots", { bodyLimit: ENTRIES_LIMIT, schema: schemas.storeSnapshot }, (request) =>
    storeSnapshot(deps, request.body.entries as readonly SnapshotEntry[]),
  );
}

/**
 * What is left of a body that was refused is read and dropped: a client that is still sending when its connection closes sees a broken connection and not
 * the answer. One that never ends is cut off.
 */
async function restDropped<T>(body: Readable, stored: Promise<T>): Promise<T> {
  try {
    return await stored;
  } catch (error) {
    const patience = setTimeout(() => body.destroy(), DROP_MS).unref();
    body.once("close", () => clearTimeout(patience)).resume();
    throw error;
  }
}

/** A request without content has no body at all. */
function bodyOf({ body }: { readonly body?: unknown }): Readable {
  return (body as Readable | null | undefined) ?? Readable.from([]);
}
