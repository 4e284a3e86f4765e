import type { Socket } from "node:net";
import { encodeFrame, frameOf } from "../frames.ts";
import { type FromHost, MAX_MESSAGE_BYTES, type WireError } from "../protocol.ts";

export interface Send {
  (message: Exclude<FromHost, { readonly type: "items" }>): void;
  /** Items of a stream, each as JSON. */
  items(id: number, values: readonly string[]): void;
}

/** Writes messages to the engine. One that is too long goes as what says so: a log line is cut, an answer becomes an error. */
export function sender(pipe: Socket): Send {
  const write = (frame: string | null): void => {
    if (frame !== null && pipe.writable) pipe.write(frame);
  };
  const send = (message: FromHost) => write(encodeFrame(message) ?? encodeFrame(shortened(message)));
  const items = (id: number, values: readonly string[]) =>
    write(
      frameOf(`{"type":"items","id":${id},"values":[${values.join(",")}]}`) ?? encodeFrame({ type: "error", id, error: tooLarge("item") }),
    );
  return Object.assign(send, { items });
}

function shortened(message: FromHost): FromHost {
  switch (message.type) {
    case "log":
      return { type: "log", id: message.id, level: message.level, text: `${message.text.slice(0, 1_000)} [cut: the line was too long]` };
    case "progress":
      return { ...message, note: message.note.slice(0, 200) };
    case "result":
    case "error":
      return { type: "error", id: message.id, error: tooLarge(message.type) };
    default:
      return { type: "unusable", message: `its ${message.type} message is longer than ${MAX_MESSAGE_BYTES} bytes` };
  }
}

function tooLarge(what: string): WireError {
  return {
    code: "LIMIT_EXCEEDED",
    message: `the plugin's ${what} is longer than ${MAX_MESSAGE_BYTES} bytes, the most that one message may have`,
    hint: "Report it to the plugin's author: large content goes by file.",
    retryable: false,
  };
}
