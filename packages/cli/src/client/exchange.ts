import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request as httpRequest } from "node:http";
import { Readable } from "node:stream";

/** One request as it goes over the wire. */
export interface Exchange {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | Readable | null;
  readonly signal: AbortSignal | undefined;
}

/** Sends a request. Resolves to the answer as soon as its head is there; rejects with a {@link BrokenExchange}, with what the body failed with, or with the signal's reason. */
export type Exchanger = (exchange: Exchange) => Promise<IncomingMessage>;

/** The other side could not be reached, or broke off before it answered. */
export class BrokenExchange extends Error {
  override readonly name = "BrokenExchange";
  /** What the machine calls it: `ECONNREFUSED`. */
  readonly code: string;

  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause });
    this.code = cause.code ?? "no answer";
  }
}

/** An answer that says nothing for so long is not awaited any more; streams have a heartbeat. */
const SILENCE_MS = 300_000;

/**
 * Exchanges over connections that are kept open. Node's own `fetch` would do, but takes longer to load than a whole command takes to
 * run.
 */
export function createExchanger(): Exchanger {
  const agent = new Agent({ keepAlive: true });
  return (exchange) => {
    const options = { method: exchange.method, headers: exchange.headers, signal: exchange.signal, timeout: SILENCE_MS };
    if (!exchange.url.startsWith("https:")) return answered(httpRequest(exchange.url, { ...options, agent } as RequestOptions), exchange);
    const https = process.getBuiltinModule("node:https");
    return answered(https.request(exchange.url, options as RequestOptions), exchange);
  };
}

function answered(request: ClientRequest, { body, signal }: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.once("timeout", () => request.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    // Errors after the answer began are the answer's.
    request.on("error", (error) => reject(signal?.aborted ? (signal.reason as Error) : new BrokenExchange(error)));
    if (!(body instanceof Readable)) return request.end(body);
    body.once("error", (error) => {
      reject(error);
      request.destroy();
    });
    request.once("close", () => body.destroy());
    return body.pipe(request);
  });
}

/** The whole of an answer. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of answer.setEncoding("utf8") as AsyncIterable<string>) text += part;
  return text;
}
