import { createServer } from "node:net";

/** The wanted port of the loopback if nobody has it, else one that the system chooses and that is not in `avoid`. */
export async function freePort(wanted: number | null, avoid: ReadonlySet<number>): Promise<number> {
  if (wanted !== null && (await tryPort(wanted)) !== null) return wanted;
  for (;;) {
    const port = await tryPort(0);
    if (port !== null && !avoid.has(port)) return port;
  }
}

/** The port that could be listened on, null when it is taken. */
function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(address && typeof address === "object" ? address.port : null));
    });
  });
}
