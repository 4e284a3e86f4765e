import { Readable } from "node:stream";
import type { SnapshotEntry } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import type { Api } from "../types.ts";
import { BLOBS_TYPE } from "./frames.ts";
import { findMissing, storeBlob, storeBlobs, storeSnapshot } from "./handlers.ts";
import { SNAPSHOT_SCHEMAS as schemas } from "./schema.ts";

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
    await storeBlob(deps, request.params.digest, { body: bodyOf(request), length: Number.isNaN(length) ? null : length });
    return reply.code(204).send();
  });

  api.post("/blobs", { schema: schemas.storeBlobs }, (request) => storeBlobs(deps, bodyOf(request)));

  api.post("/snapshots", { bodyLimit: ENTRIES_LIMIT, schema: schemas.storeSnapshot }, (request) =>
    storeSnapshot(deps, request.body.entries as readonly SnapshotEntry[]),
  );
}

/** A request without content has no body at all. */
function bodyOf({ body }: { readonly body?: unknown }): Readable {
  return (body as Readable | null | undefined) ?? Readable.from([]);
}
