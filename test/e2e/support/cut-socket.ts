import { mkdtemp, rm } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A unix socket that passes everything on to another, and can be cut: to whoever uses it, its server was stopped. */
export interface CutSocket {
  readonly path: string;
  /** Ends every connection; no new one is taken. */
  readonly cut: () => Promise<void>;
  /** Cuts as soon as a request that has this in it was passed on: its answer is lost. */
  readonly cutAfter: (text: string) => void;
  /** Takes connections again. */
  readonly open: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Time for the other side to take a request before the connection ends. */
const TAKEN_MS = 150;

export async function openCutSocket(target: string): Promise<CutSocket> {
  const folder = await mkdtemp(join(tmpdir(), "helix-cut-"));
  const path = join(folder, "socket");
  const connections = new Set<Socket>();
  let trigger: string | null = null;
  let server: Server | null = null;

  const pass = (near: Socket) => {
    const far = connect({ path: target, allowHalfOpen: true });
    for (const socket of [near, far]) {
      connections.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => connections.delete(socket));
    }
    near.on("data", (chunk: Buffer) => {
      if (trigger === null || !chunk.includes(trigger)) return;
      trigger = null;
      setTimeout(() => void cut(), TAKEN_MS);
    });
    near.pipe(far);
    far.pipe(near);
  };
  const cut = async () => {
    const closing = server;
    server = null;
    const closed = new Promise((resolve) => (closing ? closing.close(resolve) : resolve(undefined)));
    for (const socket of connections) socket.destroy();
    await closed;
  };
  const open = async () => {
    if (server !== null) return;
    await rm(path, { force: true });
    server = createServer({ allowHalfOpen: true }, pass);
    await new Promise<void>((resolve) => server!.listen(path, resolve));
  };
  await open();
  return {
    path,
    cut,
    open,
    cutAfter: (text) => void (trigger = text),
    async remove() {
      await cut();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
