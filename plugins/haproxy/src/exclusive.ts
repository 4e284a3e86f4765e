import { createHash } from "node:crypto";
import { type Server, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { folderSecret } from "./client.ts";

const PAUSE_MS = 5;

/**
 * Lets one process at a time change the tables of a folder. The lock is a name in the kernel: it goes with the process that holds it, so none is ever left behind. It
 * holds a secret of the folder, so that nobody else can sit on it.
 */
export async function exclusively<T>(folder: string, { signal }: { readonly signal: AbortSignal }, act: () => Promise<T>): Promise<T> {
  const name = lockName(folder);
  let held = await take(name);
  while (held === null) {
    signal.throwIfAborted();
    await sleep(PAUSE_MS);
    held = await take(name);
  }
  try {
    return await act();
  } finally {
    await new Promise((resolve) => (held as Server).close(resolve));
  }
}

function lockName(folder: string): string {
  const digest = createHash("sha256").update(folderSecret(folder)).update("\0").update(folder).digest("hex");
  return `\0helix-haproxy-${digest.slice(0, 40)}`;
}

function take(name: string): Promise<Server | null> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}
