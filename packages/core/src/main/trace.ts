import { createWriteStream } from "node:fs";
import { commitBoundary } from "../engine/boundaries.ts";
import type { Dispatcher, Grip, LedgerWrite, PluginCall } from "../ports/index.ts";
import type { PortName, Taps } from "./taps.ts";

/** A call of a port, as it is written down: one JSON document a line. */
export interface Span {
  /** When it began, milliseconds since 1970, with fractions. */
  readonly at: number;
  /** How long it took, milliseconds. */
  readonly ms: number;
  /** `ledger.commit`, `runtime.apply`. */
  readonly name: string;
  /** What of it: the writes of a commit. */
  readonly detail?: string;
  readonly failed?: true;
}

type Method = (...input: unknown[]) => unknown;
type Note = (span: Pick<Span, "name" | "detail">) => (failed?: true) => void;

/** Writes down how long each call of a port took, into a file: for finding where time goes. */
export function traceTo(file: string): Taps {
  const out = createWriteStream(file, { flags: "a", mode: 0o600 });
  // A trace that cannot be written is no reason to end.
  out.on("error", () => {});
  const note: Note = (span) => {
    const began = performance.now();
    return (failed) => {
      const entry: Span = { at: performance.timeOrigin + began, ms: performance.now() - began, ...span, ...(failed && { failed }) };
      out.write(`${JSON.stringify(entry)}\n`);
    };
  };
  return { port: (name, port) => tracePort(port, { name, note }), dispatcher: (dispatcher) => traceDispatcher(dispatcher, note) };
}

function tracePort<T extends object>(port: T, { name, note }: { name: PortName; note: Note }): T {
  const traced = Object.entries(port)
    .filter(([, member]) => typeof member === "function")
    .map(([method, call]) => [
      method,
      (...input: unknown[]) => {
        const detail = name === "ledger" && method === "commit" ? commitBoundary((input as [Grip, LedgerWrite[]])[1]) : undefined;
        return timed(note({ name: `${name}.${method}`, ...(detail && { detail }) }), () => (call as Method).apply(port, input));
      },
    ]);
  return { ...port, ...Object.fromEntries(traced) };
}

function traceDispatcher<T extends Dispatcher>(dispatcher: T, note: Note): T {
  return {
    ...dispatcher,
    call: <R>(call: PluginCall) => timed(note({ name: `${call.plane}.${call.verb}`, detail: call.plugin }), () => dispatcher.call<R>(call)),
  };
}

function timed<R>(end: (failed?: true) => void, call: () => R): R {
  const result = call();
  if (result instanceof Promise)
    result.then(
      () => end(),
      () => end(true),
    );
  else end();
  return result;
}
