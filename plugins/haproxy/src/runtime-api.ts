import { type Socket, connect } from "node:net";
import { unreachable } from "./failures.ts";

const PROMPT = "\n> ";

/** A conversation with HAProxy on its runtime socket: commands in turn, each with its answer. */
export class RuntimeApi {
  readonly #socket: Socket;
  readonly #path: string;
  #text = "";
  #waiting: { readonly resolve: (answer: string) => void; readonly reject: (error: unknown) => void }[] = [];
  #ended: unknown = null;

  private constructor(path: string, socket: Socket) {
    this.#path = path;
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => this.#read(chunk));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(null));
  }

  /** Rejects with `UNAVAILABLE` when HAProxy does not run. That it answers shows with the first command. */
  static async open(path: string): Promise<RuntimeApi> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error) => reject(unreachable(path, error)));
    });
    const api = new RuntimeApi(path, socket);
    // The next command goes with it, and hears of a failure.
    api.ask("prompt").catch(() => undefined);
    return api;
  }

  /** One command; a payload is sent as lines of its own, none of them empty. */
  ask(command: string, payload: readonly string[] = []): Promise<string> {
    if (this.#ended !== null) return Promise.reject(unreachable(this.#path, this.#ended));
    const text = payload.length === 0 ? command : `${command} <<\n${payload.join("\n")}\n`;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`${text}\n`);
    });
  }

  close(): void {
    this.#socket.end("quit\n");
    this.#socket.unref();
  }

  #read(chunk: string): void {
    this.#text += chunk;
    for (let at = this.#text.indexOf(PROMPT); at >= 0; at = this.#text.indexOf(PROMPT)) {
      const answer = this.#text.slice(0, at);
      this.#text = this.#text.slice(at + PROMPT.length);
      // It asks for each line of a payload with a plus.
      this.#waiting.shift()?.resolve(answer.replace(/^(?:\+ ?)+/, "").trim());
    }
  }

  #end(error: unknown): void {
    this.#ended ??= error ?? new Error("the connection was closed");
    for (const { reject } of this.#waiting.splice(0)) reject(unreachable(this.#path, this.#ended));
  }
}
