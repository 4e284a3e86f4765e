import type { Bundle } from "./read-bundle.ts";
import { unavailable } from "./faults.ts";
import { type WasmModule, compileWasm } from "./wasm.ts";

/** A bundle that is believed. */
export interface Pack {
  readonly name: string;
  readonly version: string;
  /** Counts up with each edition: an older one is not taken. */
  readonly serial: number;
  /** How it is asked: `helix` answers with a decision, `conftest` has `deny`, `violation` and `warn` in package `main`. */
  readonly kind: "helix" | "conftest";
  readonly entrypoints: readonly string[];
  readonly digest: `sha256:${string}`;
  /** Milliseconds since 1970; null: never. */
  readonly expiresAt: number | null;
  readonly issuedAt: number | null;
  readonly signedBy: string;
  readonly module: WasmModule;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface PackMark {
  readonly name?: unknown;
  readonly version?: string;
  readonly serial?: unknown;
  readonly expiresAt?: unknown;
  readonly issuedAt?: unknown;
}

/** Compiles a bundle's policy and reads what its manifest says of it. A bundle that `opa build` made without our marks is called by its file. */
export async function openPack(
  bundle: Bundle,
  { file, signedBy, endsAt }: { file: string; signedBy: string; endsAt: number | null },
): Promise<Pack> {
  const { metadata, revision, wasm } = bundle.manifest as {
    metadata?: { helix?: PackMark };
    revision?: string;
    wasm?: unknown;
  };
  const mark = metadata?.helix ?? {};
  const entrypoints = (Array.isArray(wasm) ? wasm : []).map((one: { entrypoint?: unknown }) => String(one.entrypoint));
  const asked = entrypoints.filter((name) => /(^|\/)decision$/.test(name) || CONFTEST.test(name));
  const name = typeof mark.name === "string" ? mark.name : file.replace(/\.tar\.gz$/, "");
  if (asked.length === 0)
    throw unavailable("entrypoint-missing", `${name} has no decision, and no deny, violation or warn in package main`);
  return {
    name,
    version: [mark.version, revision].find((one) => typeof one === "string") ?? "0",
    serial: typeof mark.serial === "number" ? mark.serial : 0,
    kind: asked.some((one) => CONFTEST.test(one)) ? "conftest" : "helix",
    entrypoints: asked,
    digest: bundle.digest,
    expiresAt: earliest(timeOf(mark.expiresAt, { name, what: "expiresAt" }), endsAt),
    issuedAt: timeOf(mark.issuedAt, { name, what: "issuedAt" }),
    signedBy,
    module: await compile(bundle, name),
    data: bundle.data,
  };
}

/** `main/deny`, and the names that conftest reads as such: `main/deny_latest_tag`. */
export const CONFTEST = /^main\/(deny|violation|warn)(_[A-Za-z0-9_]+)?$/;

async function compile({ wasm }: Bundle, name: string): Promise<WasmModule> {
  try {
    return await compileWasm(wasm);
  } catch (cause) {
    throw unavailable("bundle-corrupt", `the compiled policy of ${name} cannot be read`, { cause });
  }
}

function timeOf(value: unknown, { name, what }: { name: string; what: string }): number | null {
  if (value === undefined || value === null) return null;
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw unavailable("bundle-corrupt", `${what} of ${name} is no time`);
}

function earliest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
