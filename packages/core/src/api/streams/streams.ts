import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { inTurns } from "@helixstack/sdk/turns";
import { STREAM_FORMATS, type StreamEvent, type StreamFormat } from "./format.ts";
import { readThrown } from "../problem.ts";
import type { Metrics } from "../../telemetry/index.ts";

/** Opens event streams, and ends them all when the server stops. */
export interface Streams {
  /**
   * Answers with the events of `source` as they come: server-sent events, or a JSON document a line when the request accepts
   * `application/x-ndjson`. What comes in one turn of the event loop is written together. `source` is asked for little more than the reader takes, so a
   * reader that stops reading holds nobody up but itself. Resolves at the end of the stream.
   */
  send(request: FastifyRequest, reply: FastifyReply, source: (signal: AbortSignal) => AsyncIterable<StreamEvent>): Promise<void>;
  /** Tells every reader to come again, and ends. */
  close(): void;
}

/** Where a stream is resumed: the id that the reader has seen last. Null for the start. */
export function lastEventId(request: FastifyRequest): string | null {
  const id = request.headers["last-event-id"];
  return typeof id === "string" && id !== "" ? id : null;
}

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is gone, whatever its connection says. */
const STALL_MS = 60_000;

export interface StreamsOptions {
  readonly metrics: Metrics;
  readonly heartbeatMs?: number;
  readonly stallMs?: number;
}

export function createStreams({ metrics, heartbeatMs = HEARTBEAT_MS, stallMs = STALL_MS }: StreamsOptions): Streams {
  const stopping = new AbortController();
  return {
    async send(request, reply, source) {
      const format = STREAM_FORMATS[request.headers.accept?.includes("application/x-ndjson") ? "ndjson" : "sse"];
      const raw = openReply(reply, format);
      const gone = new AbortController();
      raw.once("close", () => gone.abort());
      const closed = metrics.stream(request.routeOptions.url ?? "");
      const heartbeat = setInterval(() => raw.writableNeedDrain || raw.write(format.heartbeat), heartbeatMs);
      const signal = AbortSignal.any([gone.signal, stopping.signal]);
      try {
        await pump(raw, source(signal), { format, signal, stallMs });
        if (stopping.signal.aborted) raw.write(format.event({ event: "reconnect", data: {} }));
      } catch (thrown) {
        if (!gone.signal.aborted) raw.write(format.event({ event: "error", data: readThrown(thrown).error.toDocument() }));
        request.log.warn({ err: thrown }, "an event stream broke off");
      } finally {
        clearInterval(heartbeat);
        closed();
        raw.end();
      }
    },
    close: () => stopping.abort(),
  };
}

function openReply(reply: FastifyReply, format: StreamFormat): ServerResponse {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    "content-type": format.contentType,
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    connection: "close",
    "x-request-id": reply.request.id,
  });
  raw.write(format.opening);
  return raw;
}

interface PumpOptions {
  readonly format: StreamFormat;
  readonly signal: AbortSignal;
  readonly stallMs: number;
}

async function pump(raw: ServerResponse, source: AsyncIterable<StreamEvent>, { format, signal, stallMs }: PumpOptions): Promise<void> {
  for await (const events of inTurns(source, { write: format.event, signal })) {
    if (!raw.write(events.join("")) && !(await drained(raw, { signal, stallMs }))) return;
  }
}

/** Whether the reader goes on taking. */
function drained(raw: ServerResponse, { signal, stallMs }: Pick<PumpOptions, "signal" | "stallMs">): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isTaking: boolean) => {
      clearTimeout(timer);
      raw.off("drain", onDrain);
      signal.removeEventListener("abort", onAbort);
      resolve(isTaking);
    };
    const onDrain = () => settle(true);
    const onAbort = () => settle(false);
    const timer = setTimeout(() => {
      raw.destroy();
      settle(false);
    }, stallMs);
    raw.once("drain", onDrain);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) settle(false);
  });
}
