import type { Readable } from "node:stream";
import { PluginError, type PluginContext, type RunInput, type RunResult } from "@helixstack/sdk";
import { ask, engineOf, removeContainer } from "./client.ts";
import type { Config } from "./config.ts";
import { taskOptions } from "./container-options.ts";
import { containerInput, createFilled, imageOf } from "./instances.ts";
import { demultiplex } from "./log-frames.ts";
import { containerName } from "./names.ts";

const KEPT_LINES = 100;

/** Runs one command in a container of its own, which is gone when this returns. */
export async function runTask(ctx: PluginContext<Config>, { spec, name, command }: RunInput): Promise<RunResult> {
  const input = await containerInput(ctx, { spec, image: await imageOf(ctx, spec) });
  const options = taskOptions(input, { name: containerName(ctx.identity, `task-${name}`), command });
  const id = await createFilled(ctx, { options, spec });
  const end = () => void removeContainer(ctx, id).catch(() => undefined);
  ctx.signal.addEventListener("abort", end, { once: true });
  try {
    return await toItsEnd(ctx, id);
  } finally {
    ctx.signal.removeEventListener("abort", end);
    await removeContainer(ctx, id);
  }
}

async function toItsEnd(ctx: PluginContext<Config>, id: string): Promise<RunResult> {
  const container = engineOf(ctx).getContainer(id);
  const stream = (await ask("attach to the task", () =>
    container.attach({ stream: true, stdout: true, stderr: true }),
  )) as unknown as Readable;
  const logs = follow(ctx, stream);
  await ask("start the task", () => container.start());
  const { StatusCode } = (await ask("wait for the task", () => container.wait())) as { StatusCode: number };
  if (ctx.signal.aborted) throw new PluginError("ABORTED", "the task was cancelled");
  return { exitCode: StatusCode, logs: await logs };
}

async function follow(ctx: PluginContext<Config>, stream: Readable): Promise<readonly string[]> {
  const kept: string[] = [];
  for await (const { text } of demultiplex(stream, { stamped: false })) {
    ctx.log.info(text);
    kept.push(text);
    if (kept.length > KEPT_LINES) kept.shift();
  }
  return kept;
}
