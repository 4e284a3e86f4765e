import { type Server, type Socket, connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** A way to a server that takes its time. */
export interface SlowRoad {
  /** The same URL, by this way. */
  readonly url: string;
  /** From now on, what a client says arrives so much later, milliseconds. Its order stays. */
  delay(ms: number): void;
  close(): void;
}

export async function slowRoad(to: string): Promise<SlowRoad> {
  const target = new URL(to);
  let delayMs = 0;
  const open = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        open.delete(socket);
        (socket === client ? upstream : client).destroy();
      });
    }
    let last = Promise.resolve();
    client.on("data", (chunk) => {
      const due = performance.now() + delayMs;
      last = last.then(() => until(due)).then(() => void upstream.write(chunk));
    });
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(to);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    delay: (ms) => (delayMs = ms),
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function until(due: number): Promise<void> {
  const rest = due - performance.now();
  return rest <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, rest));
}
