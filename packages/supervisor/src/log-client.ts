import { openSocket } from "./connection.ts";
import type { LogOptions } from "./client.ts";
import { SupervisorError, type SupervisorErrorCode } from "./errors.ts";
import { socketPath } from "./paths.ts";
import { documentReader } from "./protocol.ts";
import type { UnitLogLine } from "./unit.ts";

type Message =
  | UnitLogLine
  | { readonly end: true }
  | { readonly ok: true }
  | { readonly ok: false; readonly error: { readonly code: SupervisorErrorCode; readonly message: string } };

/** Streams a unit's log. Takes from the socket only what the consumer asks for. A closed connection rejects with `UNAVAILABLE`. */
export async function* streamLog(home: string, name: string, options: LogOptions): AsyncGenerator<UnitLogLine> {
  if (options.signal?.aborted) return;
  const socket = await openSocket(socketPath(home, "supervisor"));
  const abort = (): void => void socket.destroy();
  options.signal?.addEventListener("abort", abort, { once: true });
  const request = { id: 1, op: "logs", name, after: options.after ?? null, tail: options.tail ?? null, follow: options.follow ?? false };
  socket.write(`${JSON.stringify(request)}\n`);
  try {
    const read = documentReader();
    for await (const chunk of socket) {
      for (const message of read(chunk as string) as Message[]) {
        if ("end" in message) return;
        if ("m" in message) yield message;
        else if (!message.ok) throw new SupervisorError(message.error.code, message.error.message);
      }
      if (options.signal?.aborted) return;
    }
  } catch (error) {
    if (options.signal?.aborted) return;
    throw error instanceof SupervisorError ? error : new SupervisorError("UNAVAILABLE", "the supervisor closed the log", { cause: error });
  } finally {
    options.signal?.removeEventListener("abort", abort);
    socket.destroy();
  }
  if (!options.signal?.aborted) throw new SupervisorError("UNAVAILABLE", "the supervisor closed the log");
}
