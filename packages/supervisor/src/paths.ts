import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Where the supervisor of one home keeps its things. */
export interface SupervisorPaths {
  readonly home: string;
  readonly root: string;
  readonly units: string;
  readonly env: string;
  readonly fifos: string;
  readonly logs: string;
  readonly socket: string;
}

// The kernel's limit is 108 bytes with the closing zero; some systems have 104.
const SOCKET_PATH_LIMIT = 100;

/**
 * The path of a unix socket of this home: `<home>/run/<name>.sock`, or a short path under `/tmp` where that would be longer than a
 * socket path may be. The same for every process, whatever its TMPDIR. Creates nothing.
 *
 * @example socketPath("/var/lib/helix", "supervisor") // "/var/lib/helix/run/supervisor.sock"
 */
export function socketPath(home: string, name: string): string {
  const real = realPath(home);
  const near = join(real, "run", `${name}.sock`);
  if (Buffer.byteLength(near) <= SOCKET_PATH_LIMIT) return near;
  const digest = createHash("sha256").update(real).digest("hex").slice(0, 12);
  return join("/tmp", `helix-${digest}`, `${name}.sock`);
}

/** Makes the folder of {@link socketPath}, closed to everybody else, and returns the socket's path. Throws when another user holds it. */
export function prepareSocket(home: string, name: string): string {
  const path = socketPath(home, name);
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new Error(`the socket folder ${folder} belongs to somebody else: remove it, or choose a shorter HELIX_HOME`);
  }
  chmodSync(folder, 0o700);
  return path;
}

/** All paths of the supervisor of this home. */
export function supervisorPaths(home: string): SupervisorPaths {
  const real = realPath(home);
  const root = join(real, "data", "supervisor");
  return {
    home: real,
    root,
    units: join(root, "units"),
    env: join(root, "env"),
    fifos: join(root, "fifos"),
    logs: join(root, "logs"),
    socket: socketPath(real, "supervisor"),
  };
}

/** The real path, also of what is not there yet: two spellings of one home must meet at one socket. */
export function realPath(home: string): string {
  const path = resolve(home);
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
