import { Type } from "typebox";
import { answers, emptyAnswer } from "../schemas/answers.ts";
import { DigestText, closed } from "../schemas/common.ts";
import { BLOBS_TYPE } from "./frames.ts";

const path = Type.String({ minLength: 1, maxLength: 4096 });

/** One entry of a source snapshot. */
export const Entry = Type.Union([
  closed({
    path,
    type: Type.Literal("file"),
    mode: Type.Enum(["644", "755"]),
    size: Type.Integer({ minimum: 0 }),
    digest: DigestText,
  }),
  closed({ path, type: Type.Literal("link"), target: Type.String({ maxLength: 4096 }) }),
  closed({ path, type: Type.Literal("folder") }),
]);

export const Entries = Type.Array(Entry, { maxItems: 500_000 });
const MissingBody = closed({ digests: Type.Array(DigestText, { maxItems: 100_000 }) });
const SnapshotBody = closed({ entries: Entries });
const DigestPath = closed({ digest: DigestText });
const SnapshotAnswer = closed({ digest: DigestText, sizeBytes: Type.Integer() });
const MissingAnswer = closed({ missing: Type.Array(DigestText) });
const BlobsAnswer = closed({ stored: Type.Integer() });

const tags = ["snapshots"];

/** What the routes take and answer. */
export const SNAPSHOT_SCHEMAS = {
  findMissing: {
    operationId: "findMissing",
    summary: "Which contents are not here yet",
    tags,
    body: MissingBody,
    response: answers(200, MissingAnswer),
  },
  storeBlob: {
    operationId: "storeBlob",
    summary: "Stores one content; the body is its bytes",
    consumes: ["application/octet-stream"],
    tags,
    params: DigestPath,
    response: emptyAnswer(204, "It is stored."),
  },
  storeBlobs: {
    operationId: "storeBlobs",
    summary: "Stores many contents; the body has for each a line `<digest> <size>` and its bytes",
    consumes: [BLOBS_TYPE],
    tags,
    response: answers(200, BlobsAnswer),
  },
  storeSnapshot: {
    operationId: "storeSnapshot",
    summary: "Stores the list of a snapshot's entries",
    tags,
    body: SnapshotBody,
    response: answers(200, SnapshotAnswer),
  },
} as const;
