import { once } from "node:events";
import { existsSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { prepareSocket } from "./paths.ts";
import { type ServerWorld, Session } from "./session.ts";

const WATCH_MS = 2000;
const LOOKS_BEFORE_GONE = 3;
const LAST_GRACE_MS = 5000;

/**
 * Listens on the home's socket, and again when somebody removed it: cleaners of temporary folders do. When the whole home was removed,
 * nobody could ever reach its processes again: ends them and itself. Only the holder of the lock may call this.
 */
export async function serve(world: ServerWorld): Promise<void> {
  let current = await listen(world);
  let missing = 0;
  const look = async (): Promise<void> => {
    missing = existsSync(world.paths.root) ? 0 : missing + 1;
    if (missing >= LOOKS_BEFORE_GONE) {
      await world.hub.halt({ graceMs: LAST_GRACE_MS, last: [] }).catch(() => undefined);
      return world.exit("because its home is gone");
    }
    if (missing > 0 || inodeOf(world.paths.socket) === current.inode) return;
    current.server.close();
    current = await listen(world);
  };
  const again = (): void =>
    void setTimeout(
      () =>
        void look()
          .catch(() => undefined)
          .finally(again),
      WATCH_MS,
    );
  again();
}

async function listen(world: ServerWorld): Promise<{ readonly server: Server; readonly inode: number | null }> {
  const path = prepareSocket(world.paths.home, "supervisor");
  rmSync(path, { force: true });
  const server = createServer((socket) => new Session(world, socket));
  server.listen(path);
  await once(server, "listening");
  return { server, inode: inodeOf(path) };
}

function inodeOf(path: string): number | null {
  try {
    return statSync(path).ino;
  } catch {
    return null;
  }
}
