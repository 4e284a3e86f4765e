import { chmodSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { EngineError } from "../domain/errors.ts";

/** Everything that the local plane owns, below one folder. */
export interface HomeLayout {
  readonly root: string;
  readonly data: string;
  readonly postgres: string;
  readonly sources: string;
  readonly artifacts: string;
  readonly logs: string;
  /** Sealed values; their key is in `keys`. */
  readonly secrets: string;
  readonly volumes: string;
  /** One folder a plugin (`ctx.home`). */
  readonly plugins: string;
  readonly supervisor: string;
  /** Local token and other keys, closed to everybody else. */
  readonly keys: string;
  readonly run: string;
  /** Where the control process says how it is reached. */
  readonly controlFile: string;
}

/** The modes of the layout's folders. The database's user and services with a user id of their own pass through the open ones; none can be listed. */
const OPEN = 0o711;
const CLOSED = 0o700;
const MODES: Readonly<Partial<Record<keyof HomeLayout, number>>> = {
  root: OPEN,
  data: OPEN,
  sources: CLOSED,
  artifacts: OPEN,
  logs: CLOSED,
  secrets: CLOSED,
  volumes: OPEN,
  plugins: OPEN,
  supervisor: CLOSED,
  keys: CLOSED,
  run: CLOSED,
};

/**
 * The home of the local plane: `HELIX_HOME`, else `~/.helix`; for root `/var/lib/helix`, since the database's user cannot enter root's home.
 *
 * @example resolveHome({}, 0) // "/var/lib/helix"
 */
export function resolveHome(env: Readonly<Record<string, string | undefined>>, uid: number | undefined): string {
  if (env["HELIX_HOME"]) return resolve(env["HELIX_HOME"]);
  if (uid === 0) return "/var/lib/helix";
  return join(env["HOME"] || homedir(), ".helix");
}

/** The paths of a home. Creates nothing. */
export function homeLayout(root: string): HomeLayout {
  const data = join(root, "data");
  const run = join(root, "run");
  return {
    root,
    data,
    postgres: join(data, "postgres"),
    sources: join(data, "sources"),
    artifacts: join(data, "artifacts"),
    logs: join(data, "logs"),
    secrets: join(data, "secrets"),
    volumes: join(data, "volumes"),
    plugins: join(data, "plugins"),
    supervisor: join(data, "supervisor"),
    keys: join(root, "keys"),
    run,
    controlFile: join(run, "control.json"),
  };
}

/**
 * Makes the folders with their modes; what is there is kept and corrected. `data/postgres` is left to the database, whose user must own it.
 * Rejects with `PLANE_FAILED` or `DISK_FULL`, naming the folder.
 */
export function createHome(root: string, { uid }: { readonly uid: number | undefined }): HomeLayout {
  const layout = homeLayout(root);
  for (const [name, mode] of Object.entries(MODES)) makeFolder(layout[name as keyof HomeLayout], mode);
  if (uid === 0) checkAncestors(root);
  return layout;
}

function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { recursive: true, mode });
    // Bits are added to an open folder, never taken: a home that its owner opened wider stays so.
    const now = statSync(path).mode & 0o777;
    const wanted = mode === CLOSED ? CLOSED : now | OPEN;
    if (now !== wanted) chmodSync(path, wanted);
  } catch (error) {
    throw folderError(path, error as NodeJS.ErrnoException);
  }
}

/** As root the database runs as a user of its own, who has to get to its folder. */
function checkAncestors(root: string): void {
  for (let folder = dirname(root); folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) !== 0) continue;
    throw new EngineError("PLANE_FAILED", `the home ${root} cannot be used: the database's user cannot pass through ${folder}`, {
      hint: "Choose a HELIX_HOME whose parent folders everybody may enter, such as /var/lib/helix.",
    });
  }
}

function folderError(path: string, error: NodeJS.ErrnoException): EngineError {
  if (error.code === "ENOSPC") return new EngineError("DISK_FULL", `the folder ${path} cannot be made: the disk is full`, { cause: error });
  const why = WHY[error.code ?? ""] ?? error.message;
  return new EngineError("PLANE_FAILED", `the folder ${path} cannot be made: ${why}`, {
    hint: "Set HELIX_HOME to a folder that you may write to.",
    cause: error,
  });
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EPERM: "it belongs to somebody else",
  EROFS: "the file system is read-only",
  EEXIST: "a file has this name",
  ENOTDIR: "a part of the path is a file",
};
