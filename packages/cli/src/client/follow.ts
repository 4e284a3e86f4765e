import { EngineError } from "@helixstack/core/client";
import { backOff } from "./back-off.ts";
import { type StreamEvent, readEvents } from "./event-stream.ts";
import type { Http, RequestOptions } from "./http.ts";

export interface FollowOptions {
  readonly query?: RequestOptions["query"];
  readonly signal?: AbortSignal;
  /** Milliseconds without a single event or connection after which it gives up. */
  readonly patienceMs: number;
  /** Whether the stream is over for good when the server ends it. Default: it is opened again. */
  readonly endsWithServer?: boolean;
  readonly onWaiting?: (reason: string) => void;
}

/** The events of a stream. A connection that breaks is opened again where it broke off; nothing is missed or seen twice. */
export async function* follow(http: Http, path: string, options: FollowOptions): AsyncGenerator<StreamEvent> {
  let lastId: string | null = null;
  let pause = backOff({ forMs: options.patienceMs, ...(options.signal && { signal: options.signal }) });
  for (;;) {
    try {
      const response = await http.open(path, requestOf(options, lastId));
      if (response.body) {
        for await (const event of readEvents(response.body)) {
          if (event.id !== "") lastId = event.id;
          pause = backOff({ forMs: options.patienceMs, ...(options.signal && { signal: options.signal }) });
          yield event;
        }
      }
      if (options.endsWithServer) return;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof EngineError) throw error;
      options.onWaiting?.("the stream broke off");
    }
    if (!(await pause())) throw new EngineError("PLANE_DOWN", "The control plane does not come back.");
  }
}

function requestOf({ query, signal }: FollowOptions, lastId: string | null): RequestOptions {
  return {
    headers: { accept: "text/event-stream", ...(lastId !== null && { "last-event-id": lastId }) },
    ...(query && { query }),
    ...(signal && { signal }),
  };
}
