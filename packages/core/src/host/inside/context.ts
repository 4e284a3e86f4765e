import { mkdirSync } from "node:fs";
import { type LogFields, type Logger, type PluginContext, PluginError, type PluginErrorCode, Secret } from "@helixstack/sdk";
import type { CallMessage, LogLevel, SecretAnswer, SecretRequest } from "../protocol.ts";
import type { Send } from "./send.ts";

/** The context of one call, and the way in for the answers to its requests for secrets. */
export interface CallContext {
  readonly context: PluginContext;
  readonly answer: (message: SecretAnswer) => void;
}

export interface CallContextOptions {
  readonly call: CallMessage;
  readonly config: Readonly<Record<string, unknown>>;
  readonly home: string;
  readonly signal: AbortSignal;
  readonly send: Send;
}

export function callContext({ call, config, home, signal, send }: CallContextOptions): CallContext {
  const { id, identity, operationId, fence } = call;
  const secrets = secretRequests(id, send);
  const context: PluginContext = {
    config,
    identity,
    operationId,
    fence,
    signal,
    home,
    log: logger(id, send),
    progress: (note) => send({ type: "progress", id, note: String(note) }),
    secret: (name) => secrets.ask({ kind: "credential", name, version: "" }),
    resolve: (ref) => secrets.ask({ kind: "application", name: ref.name, version: ref.version }),
    // Most calls never look at it: the folder is made by the first who does.
    get workdir() {
      mkdirSync(call.workdir, { recursive: true, mode: 0o700 });
      return call.workdir;
    },
  };
  return { context, answer: secrets.answer };
}

function logger(id: number, send: Send): Logger {
  const at = (level: LogLevel) => (text: string, fields?: LogFields) =>
    send({ type: "log", id, level, text: String(text), ...(fields && { fields }) });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function secretRequests(id: number, send: Send) {
  const waiting = new Map<number, (message: SecretAnswer) => void>();
  let last = 0;
  return {
    async ask(wanted: Pick<SecretRequest, "kind" | "name" | "version">): Promise<Secret> {
      const request = ++last;
      const answer = await new Promise<SecretAnswer>((resolve) => {
        waiting.set(request, resolve);
        send({ type: "secret", id, request, ...wanted });
      });
      if (answer.error === undefined) return new Secret(answer.value ?? "");
      const { code, message, hint, retryable } = answer.error;
      throw new PluginError(code as PluginErrorCode, message, { ...(hint && { hint }), ...(retryable !== undefined && { retryable }) });
    },
    answer: (message: SecretAnswer): void => {
      waiting.get(message.request)?.(message);
      waiting.delete(message.request);
    },
  };
}
