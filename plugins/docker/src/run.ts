import type { Readable } from "node:stream";
import { PluginError, type PluginContext, type RunInput, type RunResult } from "@helixstack/sdk";
import { ask, engineOf, removeContainer } from "./client.ts";
import type { Redactor } from "@helixstack/sdk/redact";
import type { Config } from "./config.ts";
import { taskOptions } from "./container-options.ts";
import { containerInput, createFilled, imageOf } from "./instances.ts";
import { ensureNetwork } from "./network.ts";
import { demultiplex } from "./log-frames.ts";
import { containerName } from "./names.ts";
import { ensureSecrets, removeSecrets, revisionRedactor } from "./secrets.ts";

const KEPT_LINES = 100;

/** Runs one command in a container of its own, which is gone when this returns. */
export async function runTask(ctx: PluginContext<Config>, { spec, name, command }: RunInput): Promise<RunResult> {
  const container = containerName(ctx.identity, `task-${name}`);
  await ensureSecrets(ctx, { spec, name: container });
  const redactor = await revisionRedactor(ctx);
  const input = await containerInput(ctx, { spec, image: await imageOf(ctx, spec), name: container, network: await ensureNetwork(ctx) });
  const options = taskOptions(input, { name: container, command });
  const id = await createFilled(ctx, { options, spec });
  const end = () => void removeContainer(ctx, id).catch(() => undefined);
  ctx.signal.addEventListener("abort", end, { once: true });
  try {
    return await toItsEnd(ctx, { id, redactor });
  } finally {
    ctx.signal.removeEventListener("abort", end);
    await removeContainer(ctx, id);
    await removeSecrets(ctx, container);
  }
}

interface Running {
  readonly id: string;
  readonly redactor: Redactor;
}

async function toItsEnd(ctx: PluginContext<Config>, { id, redactor }: Running): Promise<RunResult> {
  const container = engineOf(ctx).getContainer(id);
  const stream = (await ask("attach to the task", () =>
    container.attach({ stream: true, stdout: true, stderr: true }),
  )) as unknown as Readable;
  const logs = follow(ctx, { stream, redactor });
  // It is not waited for where the start fails, and its own end is nobody's failure then.
  logs.catch(() => undefined);
  await ask("start the task", () => container.start());
  const { StatusCode } = (await ask("wait for the task", () => container.wait())) as { StatusCode: number };
  if (ctx.signal.aborted) throw new PluginError("ABORTED", "the task was cancelled");
  return { exitCode: StatusCode, logs: await logs };
}

async function follow(
  ctx: PluginContext<Config>,
  { stream, redactor }: { readonly stream: Readable; readonly redactor: Redactor },
): Promise<readonly string[]> {
  const kept: string[] = [];
  for await (const lines of demultiplex(stream, { stamped: false })) {
    const texts = lines.map(({ text }) => redactor.text(text));
    for (const text of texts) ctx.log.info(text);
    kept.push(...texts.slice(-KEPT_LINES));
    kept.splice(0, kept.length - KEPT_LINES);
  }
  return kept;
}
