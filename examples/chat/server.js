import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { followEvents } from "./events.js";
import { createRoom } from "./room.js";
import { attachSockets } from "./sockets.js";

const room = createRoom();
const page = readFileSync(new URL("public/index.html", import.meta.url));

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://chat");
  const route = `${request.method} ${pathname}`;
  if (route === "GET /") return response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  if (route === "GET /health") return json(response, 200, { status: "ok" });
  if (route === "GET /events") return followEvents(request, response, room);
  if (route === "GET /messages") return json(response, 200, room.since(0));
  if (route === "POST /messages") return json(response, 201, room.say("post", await text(request)));
  return json(response, 404, { error: "There is nothing here." });
});

function json(response, status, document) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
}

const sockets = attachSockets(server, room);
server.listen(Number(process.env.PORT ?? 3000), () => console.log(`the chat listens on ${server.address().port}`));

process.once("SIGTERM", () => {
  sockets.close();
  server.close(() => process.exit(0));
  // Streams of events never end by themselves; their readers come back with the last id.
  server.closeAllConnections();
});
