import { PluginError, type PluginContext, type RunInput, type RunResult } from "@helixstack/sdk";
import { removeTree } from "@helixstack/sdk/exec";
import { isAlive, openSupervisor, type ProcessIdentity, type Supervisor, type Unit, type UnitStatus } from "./client.ts";
import type { Config } from "./config.ts";
import { toFailure } from "./failures.ts";
import { foldersOf, unitName } from "./names.ts";
import { fillSecrets, prepareSurroundings, requireFit } from "./surroundings.ts";
import { taskSuffix, taskUnit } from "./units.ts";
import { handBackVolumes } from "./volumes.ts";

const KEPT_LINES = 100;
/** A call must settle within two seconds of its abort. */
const ABORT_GRACE_MS = 1200;

/**
 * Runs one command to its end. Its process is tied to this host's connection with the supervisor: when this process dies, so does the
 * task.
 */
export async function runTask(ctx: PluginContext<Config>, input: RunInput): Promise<RunResult> {
  const { spec, name, command } = input;
  await requireFit(ctx, spec);
  const suffix = taskSuffix(name);
  await removeTree(foldersOf(ctx.home, ctx.identity.revision, suffix).instance);
  const surroundings = await prepareSurroundings(ctx, { spec, suffix, name: unitName(ctx.identity, suffix) });
  await fillSecrets(ctx, spec, surroundings);
  const unit = taskUnit(ctx, { ...surroundings, spec, name, command });
  const supervisor = await openSupervisor(ctx);
  try {
    return await toItsEnd(ctx, { supervisor, unit });
  } finally {
    await supervisor.remove(unit.name, { graceMs: 0 }).catch(() => undefined);
    await handBackVolumes(ctx, [unit]).catch(() => undefined);
    supervisor.close();
  }
}

interface Running {
  readonly supervisor: Supervisor;
  readonly unit: Unit;
}

async function toItsEnd(ctx: PluginContext<Config>, { supervisor, unit }: Running): Promise<RunResult> {
  if (ctx.signal.aborted) throw aborted(unit.name);
  const process = await supervisor.ensure(unit, { fence: ctx.fence, graceMs: 0 }).catch((error: unknown) => {
    throw toFailure(error, `start task ${unit.name}`);
  });
  const output = new Output(ctx);
  const following = new AbortController();
  const copying = output.copy(supervisor, unit.name, following.signal).catch(() => undefined);
  const stop = (): void => void supervisor.stop(unit.name, { graceMs: ABORT_GRACE_MS }).catch(() => undefined);
  ctx.signal.addEventListener("abort", stop, { once: true });
  try {
    const end = await supervisor.wait(unit.name);
    following.abort();
    await copying;
    await output.copy(supervisor, unit.name);
    if (ctx.signal.aborted) throw aborted(unit.name);
    return { exitCode: exitCode(end, unit.name), logs: output.tail };
  } catch (error) {
    following.abort();
    kill(process);
    throw toFailure(error, `run task ${unit.name}`);
  } finally {
    ctx.signal.removeEventListener("abort", stop);
  }
}

/** Writes the task's lines to the deployment's log, each once. The supervisor has masked its secrets in them. */
class Output {
  readonly tail: string[] = [];
  readonly #ctx: PluginContext<Config>;
  #reached: number | null = null;

  constructor(ctx: PluginContext<Config>) {
    this.#ctx = ctx;
  }

  /** Copies what is new; goes on until `signal` where one is given. */
  async copy(supervisor: Supervisor, name: string, signal?: AbortSignal): Promise<void> {
    const options = signal === undefined ? {} : { follow: true, signal };
    for await (const { c, m } of supervisor.logs(name, { after: this.#reached, ...options })) {
      this.#reached = c;
      this.#ctx.log.info(m);
      if (this.tail.push(m) > KEPT_LINES) this.tail.shift();
    }
  }
}

function exitCode({ lastExit }: Pick<UnitStatus, "lastExit">, name: string): number {
  const code = lastExit?.code ?? null;
  if (code !== null) return code;
  throw new PluginError("TASK_FAILED", `the supervisor was restarted while task ${name} ran, so how it ended is not known`);
}

/** The supervisor's own death must not leave the task running until its successor looks. */
function kill({ pid, startTicks }: UnitStatus): void {
  if (pid === null || startTicks === null) return;
  const identity: ProcessIdentity = { pid, startTicks };
  try {
    if (isAlive(identity)) process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

function aborted(name: string): PluginError {
  return new PluginError("ABORTED", `task ${name} was cancelled`);
}
