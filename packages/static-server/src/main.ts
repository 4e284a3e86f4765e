import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { siteHandler } from "./handler.ts";
import { readOptions } from "./options.ts";

// Longer than clients in front of it keep theirs, so that they never write into a connection that was just closed.
const KEEP_ALIVE_MS = 65_000;
const LOOK_FOR_IDLE_MS = 100;

await start().catch(fail);

async function start(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, await siteHandler(options));
  server.once("error", fail);
  server.listen(options.port, options.host ?? undefined, () => {
    const { address, port } = server.address() as AddressInfo;
    process.stdout.write(`static-server: serving ${options.root} on ${address} port ${port}\n`);
  });
  const stop = (): void => {
    server.close();
    // What is being sent is finished; its connection is idle then.
    setInterval(() => server.closeIdleConnections(), LOOK_FOR_IDLE_MS).unref();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function fail(error: unknown): void {
  process.stderr.write(`static-server: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
