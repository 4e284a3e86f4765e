import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { Parser, type ReadEntry } from "tar";
import { unavailable } from "./faults.ts";

/** A bundle as OPA writes it, taken apart and not yet believed. */
export interface Bundle {
  /** SHA-256 of the whole file. */
  readonly digest: `sha256:${string}`;
  /** By name, without a slash at the front. The signature is not among them. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** `.signatures.json`; null for a bundle without one. */
  readonly signatures: unknown;
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>>;
  readonly wasm: Buffer;
}

const MAX_BYTES = 64 * 2 ** 20;
const MAX_FILES = 2_000;

/** Reads a bundle (`.tar.gz`). Rejects with `POLICY_UNAVAILABLE` (`bundle-corrupt`). */
export async function readBundle(bytes: Uint8Array): Promise<Bundle> {
  try {
    const all = await unpack(bytes);
    const { [SIGNATURES]: signatures, ...rest } = Object.fromEntries(all);
    const files = new Map(Object.entries(rest));
    const wasm = files.get("policy.wasm");
    if (!wasm) throw new Error("it has no policy.wasm; build it with `opa build -t wasm`");
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as const;
    return {
      digest,
      files,
      signatures: signatures ? json(signatures) : null,
      manifest: record(files, ".manifest"),
      data: record(files, "data.json"),
      wasm,
    };
  } catch (cause) {
    throw unavailable("bundle-corrupt", `the bundle cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

const SIGNATURES = ".signatures.json";

async function unpack(bytes: Uint8Array): Promise<ReadonlyMap<string, Buffer>> {
  const plain = gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  const files = new Map<string, Buffer>();
  const parser = new Parser({ strict: true });
  await new Promise<void>((resolve, reject) => {
    parser.on("error", reject);
    parser.on("end", () => resolve());
    parser.on("entry", (entry: ReadEntry) => {
      const parts: Buffer[] = [];
      entry.on("data", (part: Buffer) => parts.push(part));
      entry.on("end", () => {
        const name = entry.path.replace(/^(\.?\/)+/, "");
        if (entry.type === "Directory") return;
        if (entry.type !== "File" && entry.type !== "OldFile") return reject(new Error(`${name} is no ordinary file`));
        if (files.has(name) || files.size >= MAX_FILES) return reject(new Error(`${name} is there twice, or there are too many files`));
        files.set(name, Buffer.concat(parts));
      });
    });
    parser.end(plain);
  });
  return files;
}

function record(files: ReadonlyMap<string, Buffer>, name: string): Readonly<Record<string, unknown>> {
  const file = files.get(name);
  if (!file) return {};
  const value = json(file);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${name} is no mapping`);
}

function json(file: Buffer): unknown {
  return JSON.parse(file.toString("utf8"));
}
