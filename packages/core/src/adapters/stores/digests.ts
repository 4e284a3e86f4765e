import { createHash } from "node:crypto";
import type { Digest } from "@helixstack/sdk";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether this is a digest: it becomes part of file names. */
export function isDigest(value: unknown): value is Digest {
  return typeof value === "string" && DIGEST.test(value);
}

/** The 64 digits. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

export function digestOf(content: string | Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
