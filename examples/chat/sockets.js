import { WebSocketServer } from "ws";

/** Lets people talk over `/ws`. A new socket first gets what was said. */
export function attachSockets(server, room) {
  const sockets = new WebSocketServer({ server, path: "/ws", maxPayload: 16_384 });
  let guests = 0;
  sockets.on("connection", (socket) => {
    const name = `guest ${++guests}`;
    const send = (message) => socket.send(JSON.stringify(message));
    room.since(0).forEach(send);
    const stop = room.listen(send);
    socket.on("message", (data) => room.say(name, data.toString()));
    socket.on("error", (error) => console.error(`${name}: ${error.message}`));
    socket.once("close", stop);
  });
  const beat = setInterval(() => sockets.clients.forEach((socket) => socket.ping()), 15_000);
  return {
    close() {
      clearInterval(beat);
      for (const socket of sockets.clients) socket.close(1001, "moving on");
      sockets.close();
    },
  };
}
