/** Streams the room's messages to one reader, from where it broke off. */
export function followEvents(request, response, room) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("retry: 500\n\n");
  const send = (message) => response.write(`id: ${message.id}\ndata: ${JSON.stringify(message)}\n\n`);
  room.since(Number(request.headers["last-event-id"] ?? 0)).forEach(send);
  const stop = room.listen(send);
  const beat = setInterval(() => response.write(": still here\n\n"), 15_000);
  response.once("close", () => {
    stop();
    clearInterval(beat);
  });
}
