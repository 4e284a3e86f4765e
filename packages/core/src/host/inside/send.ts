import type { Socket } from "node:net";
import { encodeFrame } from "../frames.ts";
import { type FromHost, MAX_MESSAGE_BYTES, type WireError } from "../protocol.ts";

export type Send = (message: FromHost) => void;

/** Writes messages to the engine. One that is too long goes as what says so: a log line is cut, an answer becomes an error. */
export function sender(pipe: Socket): Send {
  return (message) => {
    const line = encodeFrame(message) ?? encodeFrame(shortened(message));
    if (line !== null && pipe.writable) pipe.write(line);
  };
}

function shortened(message: FromHost): FromHost {
  switch (message.type) {
    case "log":
      return { type: "log", id: message.id, level: message.level, text: `${message.text.slice(0, 1_000)} [cut: the line was too long]` };
    case "progress":
      return { ...message, note: message.note.slice(0, 200) };
    case "result":
    case "item":
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
