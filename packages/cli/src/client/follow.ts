import { EngineError, type ErrorDocument, errorRow } from "@helixstack/core/client";
import { isErrorCode } from "../error-table.ts";
import { fromDocument } from "../failure.ts";
import { backOff } from "./back-off.ts";
import { type StreamEvent, readEvents } from "./event-stream.ts";
import type { Http, RequestOptions } from "./http.ts";

export interface FollowOptions {
  readonly query?: RequestOptions["query"];
  readonly signal?: AbortSignal;
  /** Milliseconds without an answer after which it gives up. */
  readonly patienceMs: number;
  /** Asked when the server ends the stream. False: it is opened again. */
  readonly isOver: () => Promise<boolean>;
}

/** The events of a stream. A connection that breaks is opened again where it broke off; nothing is missed or seen twice. */
export async function* follow(http: Http, path: string, options: FollowOptions): AsyncGenerator<StreamEvent> {
  const { signal, patienceMs } = options;
  let lastId: string | null = null;
  const waiting = backOff({ forMs: patienceMs, signal });
  for (;;) {
    try {
      const body = await http.open(path, requestOf(options, lastId));
      waiting.renew();
      let isStopping = false;
      for await (const event of readEvents(body)) {
        if (event.id !== "") lastId = event.id;
        waiting.renew();
        isStopping = event.event === "reconnect" || event.event === "error";
        if (event.event === "error") throwUnlessPassing(event.data);
        if (isStopping) break;
        waiting.reset();
        yield event;
      }
      if (!isStopping && (await options.isOver())) return;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof EngineError) throw error;
    }
    if (!(await waiting.pause())) throw new EngineError("PLANE_DOWN", "The control plane does not come back.");
  }
}

/** The server says why it broke the stream off; what passes by itself (a database that restarts) is waited for. */
function throwUnlessPassing(data: string): void {
  const error = fromDocument(JSON.parse(data) as ErrorDocument);
  if (!isErrorCode(error.code) || !errorRow(error.code).retryable) throw error;
}

function requestOf({ query, signal }: FollowOptions, lastId: string | null): RequestOptions {
  return {
    headers: { accept: "text/event-stream", ...(lastId !== null && { "last-event-id": lastId }) },
    ...(query && { query }),
    ...(signal && { signal }),
  };
}
