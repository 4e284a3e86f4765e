import { PassThrough, type Readable } from "node:stream";
import type { LogLine, LogsInput, PluginContext } from "@helixstack/sdk";
import { ask, engineOf } from "./client.ts";
import type { Config, State } from "./config.ts";
import { revisionContainers } from "./observe.ts";
import { revisionRedactor } from "./secrets.ts";
import { demultiplex, type RawLine } from "./log-frames.ts";

/** The lines of all instances in order of time. The cursor is the engine's own nanosecond stamp and the instance. */
export async function* readLogs(ctx: PluginContext<Config>, input: LogsInput<State>): AsyncGenerator<LogLine> {
  const redactor = await revisionRedactor(ctx);
  const masked = (line: LogLine): LogLine => ({ ...line, text: redactor.text(line.text) });
  const { lines, reached } = await history(ctx, input);
  for (const line of lines) yield masked(line);
  if (!input.follow) return;
  for await (const some of follow(ctx, reached)) for (const line of some) yield masked(line);
}

interface History {
  readonly lines: readonly LogLine[];
  /** The cursor of the last line that is there, also of one that nobody wants. */
  readonly reached: string | null;
}

async function history(ctx: PluginContext<Config>, { tail, after }: LogsInput<State>): Promise<History> {
  const containers = await revisionContainers(ctx);
  const lists = await Promise.all(
    containers.map(async ({ Id, Names }) => {
      const options = {
        stdout: true,
        stderr: true,
        timestamps: true,
        follow: false as const,
        since: sinceOf(after),
        ...(tail !== null && { tail: Math.max(tail, 1) }),
      };
      const raw = await ask("read logs", () => engineOf(ctx).getContainer(Id).logs(options));
      return collect(demultiplex([raw]), instanceOf(Names));
    }),
  );
  const lines = lists.flat().filter((line) => after === null || line.cursor > after);
  lines.sort((a, b) => (a.cursor < b.cursor ? -1 : 1));
  const wanted = tail === null ? lines : lines.slice(Math.max(0, lines.length - tail));
  return { lines: wanted, reached: lines.at(-1)?.cursor ?? after };
}

/** Follows every instance until the signal; an instance that restarts is attached again, and nothing is told twice. */
async function* follow(ctx: PluginContext<Config>, after: string | null): AsyncGenerator<readonly LogLine[]> {
  const merged = new PassThrough({ objectMode: true, highWaterMark: 4 });
  const attached = new Set<string>();
  const attach = async () => {
    for (const { Id, Names, State } of await revisionContainers(ctx)) {
      if (State !== "running" || attached.has(Id)) continue;
      attached.add(Id);
      void pump({ ctx, id: Id, instance: instanceOf(Names), after, merged }).finally(() => attached.delete(Id));
    }
  };
  const timer = setInterval(() => void attach().catch(() => undefined), 500);
  ctx.signal.addEventListener("abort", () => merged.end(), { once: true });
  try {
    await attach();
    const told = new Map<number, string>();
    for await (const lines of merged as AsyncIterable<readonly LogLine[]>) {
      yield lines.filter(({ instance, cursor }) => {
        const isNew = cursor > (told.get(instance) ?? after ?? "");
        if (isNew) told.set(instance, cursor);
        return isNew;
      });
    }
  } finally {
    clearInterval(timer);
    merged.destroy();
  }
}

interface Pump {
  readonly ctx: PluginContext<Config>;
  readonly id: string;
  readonly instance: number;
  readonly after: string | null;
  readonly merged: PassThrough;
}

async function pump({ ctx, id, instance, after, merged }: Pump): Promise<void> {
  try {
    const stream = (await engineOf(ctx)
      .getContainer(id)
      .logs({
        stdout: true,
        stderr: true,
        timestamps: true,
        follow: true,
        since: sinceOf(after),
        abortSignal: ctx.signal,
      })) as unknown as Readable;
    merged.once("close", () => stream.destroy());
    for await (const lines of demultiplex(stream)) {
      if (merged.writableEnded || merged.destroyed) return;
      if (!merged.write(lines.map((line) => toLine(line, instance))))
        await new Promise<void>((resolve) => merged.once("drain", resolve).once("close", resolve));
    }
  } catch (error) {
    if (!ctx.signal.aborted) ctx.log.warn("the log stream of an instance broke off", { instance, error: String(error) });
  }
}

async function collect(chunks: AsyncIterable<readonly RawLine[]>, instance: number): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const lines of chunks) for (const line of lines) all.push(toLine(line, instance));
  return all;
}

/** `since` takes seconds with a fraction; the line at the cursor itself comes again and is dropped. */
function sinceOf(after: string | null): number | string {
  return after === null ? 0 : `${Math.floor(Date.parse(after.slice(0, 19) + "Z") / 1000)}.${after.slice(20, 29)}`;
}

function toLine({ stamp, stream, text }: RawLine, instance: number): LogLine {
  return { cursor: `${stamp}#${instance}`, at: `${stamp.slice(0, 23)}Z`, stream, instance, text };
}

function instanceOf(names: readonly string[]): number {
  return Number(names[0]?.split("-").pop() ?? 0);
}
