import { spawn } from "node:child_process";
import { freePort, untilOpen } from "./reloads.ts";

/** Answers every request head with 200 bytes, without parsing more than its end: the cheapest application there is. */
const SERVER = `
const answer = Buffer.from("HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 200\\r\\n\\r\\n" + "x".repeat(200));
require("node:net").createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => {});
  let rest = "";
  socket.on("data", (chunk) => {
    rest += chunk.toString("latin1");
    const heads = rest.split("\\r\\n\\r\\n");
    rest = heads.pop();
    for (const _ of heads) socket.write(answer);
  });
}).listen({ port: Number(process.env.PORT), host: "127.0.0.1", backlog: 4096 });
`;

export async function startTarget(): Promise<{ readonly port: number; readonly stop: () => void }> {
  const port = await freePort();
  const child = spawn(process.execPath, ["-e", SERVER], { env: { PORT: String(port) }, stdio: "ignore" });
  await untilOpen(port);
  return { port, stop: () => void child.kill("SIGKILL") };
}
