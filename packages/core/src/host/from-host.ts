import { BrokenFrame } from "./frames.ts";
import type { FromHost } from "./protocol.ts";

type Check = (message: Readonly<Record<string, unknown>>) => boolean;

const isText: (value: unknown) => boolean = (value) => typeof value === "string";
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

/** What each message must at least be. A `result` and `items` are checked against its verb's schema afterwards. */
const CHECKS: Readonly<Record<FromHost["type"], Check>> = {
  hello: ({ manifest }) => isObject(manifest),
  unusable: ({ message }) => isText(message),
  log: ({ level, text }) => ["debug", "info", "warn", "error"].includes(String(level)) && isText(text),
  progress: ({ note }) => isText(note),
  secret: ({ request, kind, name, version }) =>
    Number.isInteger(request) && (kind === "credential" || kind === "application") && isText(name) && isText(version),
  result: (message) => "value" in message,
  items: ({ values }) => Array.isArray(values),
  error: ({ error }) => isObject(error) && isText((error as Record<string, unknown>)["message"]),
};

/** A message of a plugin host, or a {@link BrokenFrame}: the plugin could write to the pipe itself. */
export function toFromHost(message: Readonly<Record<string, unknown>>): FromHost {
  const type = String(message["type"]);
  const needsId = type !== "hello" && type !== "unusable";
  const isKnown = Object.hasOwn(CHECKS, type) && CHECKS[type as FromHost["type"]](message);
  if (!isKnown || (needsId && !Number.isInteger(message["id"]))) {
    throw new BrokenFrame(`a message is none of the protocol: ${JSON.stringify(message).slice(0, 80)}`);
  }
  return message as unknown as FromHost;
}
