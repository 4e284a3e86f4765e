import { setTimeout as sleep } from "node:timers/promises";
import type { LogLine, LogsInput, PluginContext } from "@helixstack/sdk";
import { ask, findUnits, supervisorOf, type UnitLogLine, type UnitStatus } from "./client.ts";
import type { Config, State } from "./config.ts";
import { toFailure } from "./failures.ts";
import { mergeByCursor, mergeLive, type Sourced } from "./merge.ts";
import { revisionLabels } from "./names.ts";
import { indexOf } from "./observe.ts";

const RETRY_MS = 250;
const LAST_LINES = 50;

/** The lines of all instances in order of time. The cursor says for each instance how far its log was read. */
export async function* readLogs(ctx: PluginContext<Config>, input: LogsInput<State>): AsyncGenerator<LogLine> {
  const reached = decodeCursor(input.after);
  for await (const line of history(ctx, { tail: input.after === null ? input.tail : null, reached })) yield advance(reached, line);
  while (input.follow && !ctx.signal.aborted) {
    try {
      for await (const line of live(ctx, reached)) yield advance(reached, line);
    } catch (error) {
      // A supervisor that was killed comes back, and its units' logs go on where they were.
      if (toFailure(error, "follow logs").code !== "UNAVAILABLE") throw toFailure(error, "follow logs");
    }
    await sleep(RETRY_MS, undefined, { signal: ctx.signal }).catch(() => undefined);
    if (!ctx.signal.aborted && (await findUnits(ctx, revisionLabels(ctx.identity))).length === 0) return;
  }
}

/** The last lines of one process, for an error. */
export async function lastLines(ctx: PluginContext<Config>, name: string): Promise<string[]> {
  return ask(ctx, `read the log of ${name}`, async (supervisor) => {
    const lines: string[] = [];
    for await (const { m } of supervisor.logs(name, { tail: LAST_LINES })) lines.push(m);
    return lines;
  });
}

type Reached = Map<number, number>;

async function* history(
  ctx: PluginContext<Config>,
  { tail, reached }: { readonly tail: number | null; readonly reached: Reached },
): AsyncGenerator<Sourced> {
  // Whoever wants none of them still goes on behind the last one.
  const merged = mergeByCursor(await sources(ctx, { reached, tail: tail === null ? null : Math.max(tail, 1), follow: false }));
  try {
    if (tail === null) return yield* merged;
    const lines: Sourced[] = [];
    for await (const line of merged) lines.push(line);
    // Every instance gave as many; what is older than all that counts is behind the cursor now.
    for (const line of lines.slice(0, Math.max(0, lines.length - tail))) advance(reached, line);
    yield* tail === 0 ? [] : lines.slice(-tail);
  } catch (error) {
    throw toFailure(error, "read logs");
  }
}

async function* live(ctx: PluginContext<Config>, reached: Reached): AsyncGenerator<Sourced> {
  yield* mergeLive(await sources(ctx, { reached, tail: null, follow: true }));
}

interface SourceOptions {
  readonly reached: Reached;
  readonly tail: number | null;
  readonly follow: boolean;
}

async function sources(ctx: PluginContext<Config>, options: SourceOptions): Promise<AsyncGenerator<Sourced>[]> {
  const units = await findUnits(ctx, revisionLabels(ctx.identity));
  const supervisor = await supervisorOf(ctx);
  const read = async function* (unit: UnitStatus): AsyncGenerator<Sourced> {
    const instance = indexOf(unit);
    const { tail, follow } = options;
    for await (const line of supervisor.logs(unit.name, { after: options.reached.get(instance) ?? null, tail, follow, signal: ctx.signal }))
      yield { instance, line };
  };
  return units.map(read);
}

function advance(reached: Reached, { instance, line }: Sourced): LogLine {
  reached.set(instance, line.c);
  return toLogLine(line, { instance, cursor: encodeCursor(reached) });
}

function toLogLine(line: UnitLogLine, { instance, cursor }: { readonly instance: number; readonly cursor: string }): LogLine {
  return { cursor, at: line.t, stream: line.s === "o" ? "stdout" : "stderr", instance, text: line.m };
}

function encodeCursor(reached: Reached): string {
  return [...reached].map(([instance, cursor]) => `${instance}:${cursor.toString(36)}`).join(".");
}

function decodeCursor(cursor: string | null): Reached {
  const parts = (cursor ?? "").split(".").map((part) => part.split(":"));
  return new Map(parts.filter(([, at]) => at !== undefined).map(([instance, at]) => [Number(instance), Number.parseInt(at!, 36)]));
}
