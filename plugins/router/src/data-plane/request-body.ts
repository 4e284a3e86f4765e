import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Limits } from "../config.ts";
import type { OwnAnswer } from "./answers.ts";
import { REFUSAL, bodyTooLarge } from "./refusals.ts";

export interface RequestBodyOptions {
  readonly limits: Pick<Limits, "bodyBytes" | "bodyIdleTimeoutMs">;
  /** Called once, when the target is there and takes the body. */
  readonly onStart: () => void;
  /** It is too large, or too slow to come. */
  readonly onRefused: (answer: OwnAnswer) => void;
}

/**
 * A request's body on its way to the target: counted, and read no faster than the target takes it. It stands between the two
 * because whoever gets the request itself would destroy the client's connection with it, and no answer could be given.
 */
export class RequestBody extends Readable {
  started = false;
  #bytes = 0;
  #timer: NodeJS.Timeout | null = null;
  readonly #req: IncomingMessage;
  readonly #options: RequestBodyOptions;

  constructor(req: IncomingMessage, options: RequestBodyOptions) {
    super({ highWaterMark: 65_536 });
    this.#req = req;
    this.#options = options;
  }

  override _read(): void {
    if (!this.started) this.#start();
    if (this.#timer === null && !this.#req.readableEnded) this.#timer = setTimeout(this.#onIdle, this.#options.limits.bodyIdleTimeoutMs);
    this.#req.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#rest();
    this.#req.off("data", this.#onData);
    this.#req.off("end", this.#onEnd);
    this.#req.pause();
    callback(error);
  }

  #start(): void {
    this.started = true;
    this.#req.on("data", this.#onData);
    this.#req.on("end", this.#onEnd);
    this.#options.onStart();
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    const { limits, onRefused } = this.#options;
    if (this.#bytes > limits.bodyBytes) {
      this.#rest();
      onRefused(bodyTooLarge(limits.bodyBytes));
      return;
    }
    this.#timer?.refresh();
    if (this.push(chunk)) return;
    this.#rest();
    this.#req.pause();
  };

  readonly #onIdle = (): void => this.#options.onRefused(REFUSAL.slow);

  readonly #onEnd = (): void => {
    this.#rest();
    this.push(null);
  };
}
