import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../..", import.meta.url));
export const helixBin = join(folder, "bin/helix.js");

/** What one run of `helix` gave. */
export interface Run {
  readonly exit: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The documents on stdout, one a line. */
  readonly documents: readonly any[];
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A home in which nothing runs. */
export const emptyHome = mkdtempSync(join(tmpdir(), "helix-cli-home-"));

/** Runs the bundled command to its end. */
export async function helix(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const child = startHelix(args, options);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [exit, signal] = await new Promise<[number | null, string | null]>((resolve) => child.once("close", (...end) => resolve(end)));
  return { exit, signal, stdout, stderr, documents: documentsOf(stdout) };
}

export function startHelix(args: readonly string[], { cwd = tmpdir(), env = {} }: RunOptions = {}) {
  bundleOnce();
  const { HELIX_URL: _url, HELIX_TOKEN: _token, DATABASE_URL: _database, CI: _ci, ...inherited } = process.env;
  return spawn(process.execPath, [helixBin, ...args], {
    cwd,
    env: { ...inherited, HELIX_HOME: emptyHome, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function documentsOf(text: string): unknown[] {
  try {
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  } catch {
    return [];
  }
}

let isBundled = false;

/** The bundle is what people run; it is made again when a source is newer. */
function bundleOnce(): void {
  if (isBundled) return;
  isBundled = true;
  const made = join(folder, "dist/bin/helix.cjs");
  const sources = readdirSync(join(folder, "src"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const newest = Math.max(...sources.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
  if (existsSync(made) && statSync(made).mtimeMs > newest) return;
  execFileSync(process.execPath, [join(folder, "scripts/bundle.mjs")], { stdio: "inherit" });
}
