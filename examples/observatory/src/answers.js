import { setTimeout as sleep } from "node:timers/promises";
import { json } from "./json.js";

/** `?chunks=3&ms=100`: chunks with a pause before each but the first. */
export async function stream(_request, response, { url }) {
  const { chunks, ms } = numbers(url, { chunks: 3, ms: 100 });
  response.writeHead(200, { "content-type": "text/plain", trailer: "x-chunks" });
  for (let n = 1; n <= chunks && !response.destroyed; n++) {
    if (n > 1) await sleep(ms);
    response.write(`chunk ${n}\n`);
  }
  response.addTrailers({ "x-chunks": String(chunks) });
  response.end();
}

/** `?events=3&ms=100`: server-sent events; from the one after `Last-Event-ID` on. `events=0` never ends. */
export async function sse(request, response, { url }) {
  const { events, ms } = numbers(url, { events: 3, ms: 100 });
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const from = Number(request.headers["last-event-id"] ?? 0);
  for (let n = from + 1; (events === 0 || n <= events) && !response.destroyed; n++) {
    response.write(`id: ${n}\ndata: ${JSON.stringify({ n })}\n\n`);
    await sleep(ms);
  }
  response.end();
}

/** `?to=/echo&status=302` */
export function redirect(_request, response, { url }) {
  const status = Number(url.searchParams.get("status") ?? 302);
  response.writeHead(status, { location: url.searchParams.get("to") ?? "/echo" }).end();
}

/** Two cookies, and those that came. */
export function cookies(request, response) {
  response.setHeader("set-cookie", ["first=1; Path=/; HttpOnly", "second=two words; Path=/; SameSite=Lax"]);
  json(response, { cookie: request.headers.cookie ?? null });
}

/** `/status/418` */
export function status(_request, response, { rest }) {
  const code = Number(rest);
  if (!Number.isInteger(code) || code < 200 || code > 599) return json(response, { error: "ask for /status/200 to /status/599" }, 400);
  const hasBody = code !== 204 && code !== 304;
  response.writeHead(code, hasBody ? { "content-type": "text/plain" } : {}).end(hasBody ? `${code}\n` : undefined);
}

/** `?ms=1000`: answers after that time. */
export async function slow(_request, response, { url }) {
  const { ms } = numbers(url, { ms: 1_000 });
  await sleep(ms);
  json(response, { ms });
}

/** `?bytes=1000000`: that many bytes, each telling its place, at the pace of the reader. */
export async function big(_request, response, { url }) {
  const { bytes } = numbers(url, { bytes: 1_000_000 });
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes });
  const block = Buffer.from(Array.from({ length: 65_536 }, (_, n) => n % 251));
  for (let left = bytes; left > 0 && !response.destroyed; left -= block.length) {
    const isTaken = response.write(left < block.length ? block.subarray(0, left) : block);
    if (!isTaken) await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
  }
  response.end();
}

function numbers(url, defaults) {
  const entries = Object.entries(defaults).map(([name, value]) => [name, Number(url.searchParams.get(name) ?? value)]);
  return Object.fromEntries(entries);
}
