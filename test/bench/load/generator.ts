import { type Socket, connect } from "node:net";

/** One request, again and again, over raw sockets: cheap, so that it is the proxy that is measured. */
export interface Asked {
  readonly port: number;
  readonly host: string;
  readonly connections: number;
  /** All of them together. */
  readonly requests: number;
  /** Rest of a connection between two requests; 0 asks as fast as it answers. */
  readonly pauseMs?: number;
}

export interface Load {
  readonly requests: number;
  readonly errors: number;
  /** Milliseconds of each request; only with a pause. */
  readonly latencies: readonly number[];
}

const END = Buffer.from("\r\n\r\n");

export async function load({ port, host, connections, requests, pauseMs = 0 }: Asked): Promise<Load> {
  const bytes = Buffer.from(`GET /path?page=2 HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`);
  const budget = { left: requests - connections };
  const each = await Promise.all(Array.from({ length: connections }, () => repeat({ port, bytes, budget, pauseMs })));
  return {
    requests: each.reduce((sum, { requests }) => sum + requests, 0),
    errors: each.reduce((sum, { errors }) => sum + errors, 0),
    latencies: each.flatMap(({ latencies }) => latencies),
  };
}

interface One {
  readonly port: number;
  readonly bytes: Buffer;
  /** Requests that are still to be asked, by whichever connection. */
  readonly budget: { left: number };
  readonly pauseMs: number;
}

function repeat({ port, bytes, budget, pauseMs }: One): Promise<Load> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const latencies: number[] = [];
    let [requests, errors, sent] = [0, 0, 0];
    let left = -1;
    const finish = (): void => {
      socket.destroy();
      resolve({ requests, errors, latencies });
    };
    const ask = (): void => {
      sent = performance.now();
      socket.write(bytes);
    };
    socket.setNoDelay(true);
    socket.on("connect", ask);
    socket.on("error", () => {
      errors += 1;
      finish();
    });
    socket.on("data", (chunk: Buffer) => {
      left = left < 0 ? rest(chunk) : left - chunk.length;
      if (left > 0) return;
      left = -1;
      requests += 1;
      const now = performance.now();
      if (pauseMs > 0) latencies.push(now - sent);
      budget.left -= 1;
      if (budget.left < 0) finish();
      else if (pauseMs === 0) ask();
      else setTimeout(ask, pauseMs);
    });
  });
}

/** How much of the body is still to come. The head comes in one piece, with a Content-Length. */
function rest(chunk: Buffer): number {
  const end = chunk.indexOf(END);
  const length = Number(/content-length: (\d+)/i.exec(chunk.toString("latin1", 0, end))?.[1] ?? 0);
  return end + END.length + length - chunk.length;
}

/** Connections that have asked once and then stay. */
export async function openIdle({
  port,
  host,
  count,
}: {
  readonly port: number;
  readonly host: string;
  readonly count: number;
}): Promise<() => void> {
  const bytes = `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const sockets = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
          socket.once("data", () => resolve(socket));
          socket.once("error", reject);
        }),
    ),
  );
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}
