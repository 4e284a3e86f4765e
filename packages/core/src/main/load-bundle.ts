import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { Script, constants } from "node:vm";

export interface BundleOptions {
  /** A CommonJS script in one file, ASCII. */
  readonly file: string;
  /** Where compiled code is kept for the next start; null keeps none. */
  readonly cache: string | null;
  /** Default 4 000 ms. */
  readonly keepAfterMs?: number;
}

/** By then everything that a start needs has run once, and is compiled. */
const KEEP_AFTER_MS = 4_000;

/**
 * Runs a bundle with the compiled code that an earlier run of this very file kept; V8 checks that it fits its version and flags, and else compiles. The
 * compiled code is no truth: without it, or where it cannot be written, everything is the same and a little slower.
 */
export function loadBundle({ file, cache, keepAfterMs = KEEP_AFTER_MS }: BundleOptions): unknown {
  const source = readFileSync(file, "latin1");
  const kept = cache === null ? null : join(cache, cacheName(file));
  const cachedData = kept === null ? undefined : read(kept);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    ...(cachedData && { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (kept !== null && (cachedData === undefined || script.cachedDataRejected)) {
    setTimeout(() => keep(kept, script), keepAfterMs).unref();
  }
  const module = { exports: {} };
  (script.runInThisContext() as (...of: unknown[]) => void)(module.exports, createRequire(file), module, file, dirname(file));
  return module.exports;
}

/** Begins with what stands for the script: of that, V8 itself compares no more than its length. */
function cacheName(file: string): string {
  const { mtimeMs, size } = statSync(file);
  return `${digest([file, mtimeMs, size])}-${digest([process.version, process.arch, ...process.execArgv])}.code`;
}

function digest(parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Other scripts' code goes: each update would leave some. */
function keep(file: string, script: Script): void {
  try {
    const folder = dirname(file);
    const [ofScript = ""] = basename(file).split("-");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) if (!name.startsWith(ofScript)) rmSync(join(folder, name), { force: true });
    const half = `${file}.${process.pid}`;
    writeFileSync(half, script.createCachedData(), { mode: 0o600 });
    renameSync(half, file);
  } catch {
    // A full disk, perhaps. The next start compiles again.
  }
}
