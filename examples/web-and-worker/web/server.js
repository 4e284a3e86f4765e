import { createServer } from "node:http";

const worker = process.env.HELIX_SERVICE_WORKER_URL ?? "http://127.0.0.1:3001";

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://web");
  if (url.pathname === "/health") return answer(response, 200, { status: "ok" });
  if (url.pathname === "/") return answer(response, 200, { name: "web", try: "/primes?below=100", worker });
  if (url.pathname !== "/primes") return answer(response, 404, { error: "There is /primes?below=100." });
  try {
    const reply = await fetch(new URL(`/primes${url.search}`, worker), { signal: AbortSignal.timeout(5_000) });
    return answer(response, reply.status, { web: process.pid, ...(await reply.json()) });
  } catch (error) {
    return answer(response, 502, { error: `The worker at ${worker} did not answer: ${error.cause?.message ?? error.message}` });
  }
});

function answer(response, status, document) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
}

server.listen(Number(process.env.PORT ?? 3000), () => console.log(`web listens on ${server.address().port}, the worker is at ${worker}`));
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  // A connection that is kept alive would hold the end up once its request is answered.
  setInterval(() => server.closeIdleConnections(), 100);
});
