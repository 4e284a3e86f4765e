import { createServer } from "node:http";
import { primesBelow } from "./primes.js";

const LIMIT = 1_000_000;

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://worker");
  if (url.pathname === "/health") return answer(response, 200, { status: "ok" });
  if (url.pathname !== "/primes") return answer(response, 404, { error: "The worker knows /primes." });
  const below = Number(url.searchParams.get("below") ?? 100);
  if (!Number.isInteger(below) || below < 0 || below > LIMIT) {
    return answer(response, 400, { error: `below must be a whole number up to ${LIMIT}` });
  }
  console.log(`looking for primes below ${below}`);
  return answer(response, 200, { below, primes: primesBelow(below), worker: process.pid });
});

function answer(response, status, document) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
}

server.listen(Number(process.env.PORT ?? 3001), () => console.log(`the worker listens on ${server.address().port}`));
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  // A connection that is kept alive would hold the end up once its request is answered.
  setInterval(() => server.closeIdleConnections(), 100);
});
