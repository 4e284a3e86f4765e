import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** A WebSocket at `/ws` that sends back what it gets, frame by frame (RFC 6455, as much of it as an echo needs). */
export function upgrade(request, socket, head) {
  const key = request.headers["sec-websocket-key"];
  const isWanted = request.headers.upgrade?.toLowerCase() === "websocket" && new URL(request.url, "http://x").pathname === "/ws";
  if (!isWanted || key === undefined) return socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  const accept = createHash("sha1").update(key + GUID).digest("base64");
  const answer = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: Upgrade", `sec-websocket-accept: ${accept}`];
  const goodbye = () => socket.end(frame({ opcode: OPCODE.close, payload: closePayload(1001) }));
  process.once("SIGTERM", goodbye);
  socket.once("close", () => process.off("SIGTERM", goodbye));
  socket.on("error", () => socket.destroy());
  socket.write(`${answer.join("\r\n")}\r\n\r\n`);
  let pending = head;
  const take = (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (let found = readFrame(pending); found !== null; found = readFrame(pending)) {
      pending = pending.subarray(found.size);
      answerFrame(socket, found);
    }
  };
  socket.on("data", take);
  take(Buffer.alloc(0));
}

function answerFrame(socket, { isFinal, opcode, payload }) {
  if (opcode === OPCODE.close) return socket.end(frame({ opcode, payload }));
  if (opcode === OPCODE.ping) return socket.write(frame({ opcode: OPCODE.pong, payload }));
  if (opcode !== OPCODE.pong) socket.write(frame({ isFinal, opcode, payload }));
}

/** The first whole frame of a buffer, unmasked; null while there is none. */
function readFrame(buffer) {
  if (buffer.length < 2) return null;
  const short = buffer[1] & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const isMasked = (buffer[1] & 0x80) !== 0;
  const start = 2 + lengthBytes + (isMasked ? 4 : 0);
  if (buffer.length < start) return null;
  const length = lengthBytes === 0 ? short : lengthBytes === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
  if (buffer.length < start + length) return null;
  const payload = Buffer.from(buffer.subarray(start, start + length));
  if (isMasked) for (let n = 0; n < length; n++) payload[n] ^= buffer[start - 4 + (n % 4)];
  return { isFinal: (buffer[0] & 0x80) !== 0, opcode: buffer[0] & 0x0f, payload, size: start + length };
}

function frame({ isFinal = true, opcode, payload }) {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = (isFinal ? 0x80 : 0) | opcode;
  header[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

function closePayload(code) {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return payload;
}
