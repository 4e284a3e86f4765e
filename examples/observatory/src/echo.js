import { createHash } from "node:crypto";
import { json } from "./json.js";

/** The request as it arrived. Its body is digested while it streams, so that any size will do. */
export async function echo(request, response, { url }) {
  const hash = createHash("sha256");
  let length = 0;
  for await (const chunk of request) {
    hash.update(chunk);
    length += chunk.length;
  }
  json(response, {
    method: request.method,
    url: request.url,
    query: [...url.searchParams],
    httpVersion: request.httpVersion,
    rawHeaders: request.rawHeaders,
    rawTrailers: request.rawTrailers,
    remoteAddress: request.socket.remoteAddress,
    body: { length, sha256: hash.digest("hex") },
  });
}
