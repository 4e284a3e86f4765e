import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { writeWhole } from "../../files.ts";
import { isAlive } from "../../processes.ts";

/** A port for the server: that of the server which runs already, else the remembered one, else (where that is taken) a free one. */
export async function choosePort(input: {
  readonly dataFolder: string;
  readonly memory: string;
  readonly freePort: FreePort;
}): Promise<number> {
  const running = await runningPort(input.dataFolder);
  if (running !== null) return running;
  const remembered = await readPort(input.memory);
  const port = await input.freePort(remembered, new Set());
  if (port !== remembered) await writeWhole(input.memory, `${JSON.stringify({ port })}\n`, 0o644);
  return port;
}

/** Finds a free port; `wanted` if it is. */
export type FreePort = (wanted: number | null, avoid: ReadonlySet<number>) => Promise<number>;

/** The port on which a server serves this data folder just now, as its lock file says; null when none does. */
async function runningPort(dataFolder: string): Promise<number | null> {
  const lines = (await readFile(join(dataFolder, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!(pid > 0) || !(port > 0)) return null;
  // A lock file outlives a server that was killed, and its pid may be anybody's by now: it is the server if its port is taken too.
  return isAlive(pid) && !(await canListen(port)) ? port : null;
}

async function readPort(memory: string): Promise<number | null> {
  try {
    const { port } = JSON.parse(await readFile(memory, "utf8")) as { port?: unknown };
    return typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536 ? port : null;
  } catch {
    return null;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
