import { isTerminal } from "../../domain/states.ts";
import type { Ledger, LogStore, Scope } from "../../ports/index.ts";
import { watchChanges } from "../streams/changes.ts";
import type { StreamEvent } from "../streams/format.ts";

const POLL_MS = 2000;

export interface DeploymentLogInput {
  readonly deployment: string;
  /** Cursor of the last line that the reader has; null for none. */
  readonly after: number | null;
  /** Begin with so many of the last lines, where nothing was read yet. */
  readonly tail: number | null;
  /** Stay until the deployment ends. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** The lines of a deployment's log. */
export async function* deploymentLog(
  { ledger, logs }: { readonly ledger: Ledger; readonly logs: LogStore },
  scope: Scope,
  input: DeploymentLogInput,
): AsyncGenerator<StreamEvent> {
  const { deployment, signal, follow } = input;
  const stream = `deployment:${deployment}`;
  let cursor = input.after ?? (await firstCursor(logs, { stream, tail: input.tail }));
  const lines = async function* (options: { readonly follow: boolean; readonly signal: AbortSignal }) {
    for await (const line of logs.read(stream, { after: cursor, ...options })) {
      cursor = line.cursor;
      yield lineEvent(line);
    }
  };
  if (follow) yield* lines({ follow: true, signal: await untilEnd({ ledger, scope, stream, deployment, signal }) });
  // What was written between the last line and the end.
  if (!signal.aborted) yield* lines({ follow: false, signal });
}

/** Fires when the deployment has ended, and with the reader's signal. */
async function untilEnd(input: {
  readonly ledger: Ledger;
  readonly scope: Scope;
  readonly stream: string;
  readonly deployment: string;
  readonly signal: AbortSignal;
}): Promise<AbortSignal> {
  const { ledger, scope, stream, deployment, signal } = input;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const changes = await watchChanges(ledger, scope, { stream, signal: either });
  const watch = async () => {
    for (;;) {
      const record = await ledger.deployment(scope, deployment);
      if (signal.aborted || record === null || isTerminal(record.state)) return;
      await changes.next(POLL_MS);
    }
  };
  // A ledger that cannot be asked ends the stream; its reader comes again.
  void watch()
    .catch(() => undefined)
    .finally(() => over.abort());
  return either;
}

/** The cursor before the last lines. Logs of deployments are read to the end for it: they are bounded. */
async function firstCursor(logs: LogStore, { stream, tail }: { stream: string; tail: number | null }): Promise<number> {
  if (tail === null) return 0;
  const cursors: number[] = [0];
  for await (const { cursor } of logs.read(stream, { after: 0, follow: false })) {
    cursors.push(cursor);
    if (cursors.length > tail + 1) cursors.shift();
  }
  return cursors[0]!;
}

function lineEvent({
  cursor,
  at,
  level,
  step,
  text,
}: {
  cursor: number;
  at: string;
  level: string;
  step: string | null;
  text: string;
}): StreamEvent {
  return { id: String(cursor), event: "line", data: { at, level, step, text } };
}
