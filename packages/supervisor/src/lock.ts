import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { readJson, writeJson } from "./files.ts";
import { folderSecret } from "./folder-secret.ts";
import type { SupervisorPaths } from "./paths.ts";
import { bootId, isAlive, type ProcessIdentity, processIdentity } from "./proc.ts";

/**
 * Makes this process the one supervisor of the home, until it ends. False when another one is.
 *
 * The lock is a socket in the kernel's abstract namespace: the kernel frees it in the instant in which its owner dies, so there is
 * nothing stale to judge. Its name holds a secret of the home, so that nobody else can sit on it. Abstract names are seen within one
 * network namespace only; the owner's record covers the rest.
 */
export async function takeLock(paths: SupervisorPaths): Promise<boolean> {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  const digest = createHash("sha256").update(folderSecret(paths.root)).update("\0").update(paths.home).digest("hex");
  const server = createServer((socket) => socket.destroy());
  server.unref();
  try {
    server.listen(`\0helix-supervisor-${digest.slice(0, 40)}`);
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  return claimRecord(paths);
}

/** The process that holds the home, as it wrote itself down; null when it is dead. */
export function lockOwner(paths: SupervisorPaths): ProcessIdentity | null {
  const owner = readJson<ProcessIdentity & { readonly boot: string }>(recordPath(paths));
  return owner !== null && owner.boot === bootId() && isAlive(owner) ? { pid: owner.pid, startTicks: owner.startTicks } : null;
}

function claimRecord(paths: SupervisorPaths): boolean {
  const owner = lockOwner(paths);
  if (owner !== null && owner.pid !== process.pid) return false;
  try {
    writeJson(recordPath(paths), { ...processIdentity(process.pid), boot: bootId() }, { durable: false });
  } catch {
    // A full disk must not keep the supervisor away: the kernel's lock holds without the record.
  }
  return true;
}

function recordPath(paths: SupervisorPaths): string {
  return join(paths.root, "supervisor.json");
}
