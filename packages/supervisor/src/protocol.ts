import type { SupervisorErrorCode } from "./errors.ts";
import type { Unit, UnitStatus } from "./unit.ts";

/**
 * The conversation on the socket: one JSON document a line each way. Requests carry an id, their answers the same one, in any order.
 * `logs` takes a connection for itself: after its answer come the raw records of the log, then `{"end":true}` and the close.
 */
export type Request = { readonly id: number } & Operation;

export type Operation =
  | { readonly op: "ping" }
  | { readonly op: "ensure"; readonly unit: Unit; readonly fence: number; readonly graceMs: number }
  | { readonly op: "stop"; readonly name: string; readonly fence: number | null; readonly graceMs: number }
  | { readonly op: "remove"; readonly name: string; readonly fence: number | null; readonly graceMs: number }
  | { readonly op: "freeze" | "thaw"; readonly name: string; readonly fence: number | null }
  | { readonly op: "list"; readonly names: readonly string[] | null; readonly labels: Labels | null; readonly usage: boolean }
  | { readonly op: "wait"; readonly name: string }
  | { readonly op: "logs"; readonly name: string; readonly after: number | null; readonly tail: number | null; readonly follow: boolean }
  | { readonly op: "shutdown"; readonly stopUnits: "all" | "none"; readonly graceMs: number; readonly last: readonly string[] };

/** Units that carry all of them. */
type Labels = Readonly<Record<string, string>>;

export type Answer =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: { readonly code: SupervisorErrorCode; readonly message: string } };

/** What `ping` answers. */
export interface Pong {
  readonly pid: number;
  readonly startTicks: string;
}

/** What `list` answers. */
export type Listing = readonly UnitStatus[];

const LONGEST_LINE = 8 * 1024 * 1024;

/** Cuts a stream of text into JSON documents. Throws for one that is none, or that does not end. */
export function documentReader(): (chunk: string) => unknown[] {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) throw new Error("a line on the supervisor's socket is too long");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
  };
}
