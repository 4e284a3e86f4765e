/** One event of a stream. `id` is what a reader gives back to resume after it. */
export interface StreamEvent {
  readonly id?: string;
  readonly event: string;
  /** Plain JSON. */
  readonly data: unknown;
}

/** How events are written. */
export interface StreamFormat {
  readonly contentType: string;
  readonly opening: string;
  readonly heartbeat: string;
  readonly event: (event: StreamEvent) => string;
}

/** A reader that lost its connection comes again after so long, milliseconds. */
const RETRY_MS = 500;

export const STREAM_FORMATS: Readonly<Record<"sse" | "ndjson", StreamFormat>> = {
  sse: {
    contentType: "text/event-stream; charset=utf-8",
    opening: `retry: ${RETRY_MS}\n\n`,
    heartbeat: ": \n\n",
    event: ({ id, event, data }) => `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
  },
  ndjson: {
    contentType: "application/x-ndjson; charset=utf-8",
    opening: "",
    heartbeat: "\n",
    event: (event) => `${JSON.stringify(event)}\n`,
  },
};
