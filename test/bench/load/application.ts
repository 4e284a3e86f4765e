/**
 * The application that the load meets: tells its mark in `x-mark`, counts bodies, is slow under /slow, streams events under /events and echoes WebSocket texts. No
 * dependencies: what is measured is the way to it. MARK says which release it is; SICK makes it unhealthy.
 */
export const APPLICATION = `
const { createServer } = require("node:http");
const { createHash } = require("node:crypto");
const mark = process.env.MARK;
const server = createServer((request, response) => {
  response.setHeader("x-mark", mark);
  if (process.env.SICK) return response.writeHead(503).end();
  if (request.url === "/slow") return void setTimeout(() => response.end("slow"), 1500);
  if (request.url === "/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write("data: " + mark + "\\n\\n"), 100);
    return void response.on("close", () => clearInterval(timer));
  }
  let size = 0;
  request.on("data", (chunk) => (size += chunk.length)).on("end", () => response.end(String(size)));
});
server.keepAliveTimeout = 75_000;
server.on("upgrade", (request, socket) => {
  const key = createHash("sha1").update(request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: " + key + "\\r\\n\\r\\n");
  socket.on("error", () => {});
  socket.on("data", (frame) => {
    const opcode = frame[0] & 15;
    if (opcode === 8) return socket.end(Buffer.from([0x88, 0]));
    const length = frame[1] & 127;
    const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, i) => byte ^ frame[2 + (i & 3)]));
    socket.write(Buffer.concat([Buffer.from([0x81, length]), text]));
  });
});
server.listen(process.env.PORT, process.env.HOST);
process.on("SIGTERM", () => server.close(() => process.exit(0)) && server.closeIdleConnections());
`;
