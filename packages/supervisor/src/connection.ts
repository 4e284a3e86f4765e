import { connect as connectSocket, type Socket } from "node:net";
import { SupervisorError } from "./errors.ts";

/** Opens the socket; rejects with `UNAVAILABLE` when nobody answers there. */
export function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(path);
    socket.setEncoding("utf8");
    socket.once("error", (error) => reject(new SupervisorError("UNAVAILABLE", `no supervisor answers at ${path}`, { cause: error })));
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.on("error", () => socket.destroy());
      resolve(socket);
    });
  });
}
