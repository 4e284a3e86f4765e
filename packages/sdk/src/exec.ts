import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PluginContext } from "./context.ts";
import { PluginError } from "./errors.ts";
import { inheritedEnv } from "./exec-env.ts";
import { readLines } from "./exec-lines.ts";
import type { OsUser } from "./os-user.ts";
import type { Secret } from "./secret.ts";

export { inheritedEnv };
export { type OsUser, derivedUser, engineUser, firstClosed, giveTo, makeOwnFolder, sharingUser } from "./os-user.ts";
export { removeTree } from "./remove-tree.ts";

/** What {@link runCommand} takes besides the command. */
export interface RunCommandOptions {
  /** Folder in which the program runs. It must exist. */
  readonly cwd: string;
  /** Added to what is inherited, and stronger. */
  readonly env?: Readonly<Record<string, string>>;
  /** Secrets for the program's environment. Where their values show up in its output, `[secret]` is logged in their place. */
  readonly secretEnv?: Readonly<Record<string, Secret>>;
  /** Whom the program runs as; only root can choose. It has to be able to reach {@link neededByCommands}. Default: the caller's own user. */
  readonly user?: OsUser;
}

/** How a program ended. */
export interface RunCommandResult {
  /** Its exit code; 128 and the signal's number when a signal ended it. */
  readonly exitCode: number;
  /** Its last lines, standard output and standard error as they came, at most 100. */
  readonly tail: readonly string[];
}

const TAIL_LINES = 100;
/** A call must settle within two seconds of its abort; the program gets most of that. */
const GRACE_MS = 1_500;
/** A process that left the group may keep the output open: its lines are not waited for longer than this. */
const DRAIN_MS = 1_000;

/**
 * Runs a program with an argument list, never through a shell, and waits for its end. Every output line goes to `ctx.log`.
 *
 * The program and all that it starts form one process group, which is gone when this returns: what it left running is killed.
 * When `ctx.signal` fires the group gets SIGTERM, and SIGKILL 1.5 s later. When the calling process dies, the same happens: a small
 * guard process leads the group and notices that its channel to the caller closed. (Linux could do this with `prctl`; the guard works on every
 * Unix, at about 40 ms a command.)
 *
 * The environment is not the caller's: only what programs need to work at all is inherited (see `exec-env.ts`).
 *
 * Rejects with `UNSUPPORTED` when the program is not installed, `DISK_FULL` when it failed for want of space, `ABORTED` after the
 * signal. A program that fails does not reject: look at `exitCode`.
 *
 * @example
 * const { exitCode, tail } = await runCommand(ctx, ["npm", "ci"], { cwd: input.source });
 */
export async function runCommand(
  ctx: Pick<PluginContext, "log" | "signal">,
  argv: readonly string[],
  options: RunCommandOptions,
): Promise<RunCommandResult> {
  const [program] = argv;
  if (program === undefined) throw new PluginError("INTERNAL", "runCommand was called with an empty argument list");
  if (ctx.signal.aborted) throw aborted(program, ctx.signal);
  const secrets = Object.entries(options.secretEnv ?? {}).map(([name, secret]) => [name, secret.reveal()] as const);
  const guard = spawn(process.execPath, [guardEntry(), ...argv], {
    cwd: options.cwd,
    env: { ...inheritedEnv(), ...options.env, ...Object.fromEntries(secrets) },
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    ...options.user,
  });
  const tail: string[] = [];
  const take = (line: string): void => {
    const shown = mask(line, secrets);
    ctx.log.info(shown);
    if (tail.push(shown) > TAIL_LINES) tail.shift();
  };
  const stop = stopOnSignal(guard, ctx.signal);
  const end = await ending(guard, take).finally(stop);
  if (ctx.signal.aborted) throw aborted(program, ctx.signal);
  if (end.error !== undefined) throw notStarted(program, { code: end.error, cwd: options.cwd });
  if (end.exitCode !== 0 && tail.some(isDiskFull)) throw new PluginError("DISK_FULL", `${program} found the disk full`, { logs: tail });
  return { exitCode: end.exitCode, tail };
}

/** What every command needs to read, whoever it runs as. */
export function neededByCommands(): readonly string[] {
  return [process.execPath, guardEntry()];
}

/** What the guard says of the program's end. */
export interface GuardReport {
  /** The program's exit code; 128 and more for a signal. */
  readonly exitCode: number;
  /** The system's code when the program could not be started. */
  readonly error?: string;
}

/** The guard's script runs as a file of its own, so it is the compiled one even where this module is read as source. */
function guardEntry(): string {
  return fileURLToPath(import.meta.url)
    .replace(/([\\/])src([\\/])exec\.ts$/, "$1dist$2exec.js")
    .replace(/exec\.js$/, "exec-guard.js");
}

async function ending(guard: ChildProcess, take: (line: string) => void): Promise<GuardReport> {
  const outputs = [readLines(guard.stdout!, take), readLines(guard.stderr!, take)];
  const report = await new Promise<GuardReport>((resolve) => {
    guard.once("error", (error: NodeJS.ErrnoException) => resolve({ exitCode: 127, error: error.code ?? "UNKNOWN" }));
    guard.once("message", (message) => resolve(message as GuardReport));
    // A guard that ends without a report was killed together with its group.
    guard.once("exit", () => setImmediate(resolve, { exitCode: 137 }));
  });
  killGroup(guard, "SIGKILL");
  const timer = setTimeout(() => [guard.stdout!, guard.stderr!].forEach((stream) => stream.destroy()), DRAIN_MS);
  await Promise.all(outputs);
  clearTimeout(timer);
  return report;
}

/** Ends the group when the signal fires. Returns what takes this back. */
function stopOnSignal(guard: ChildProcess, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    killGroup(guard, "SIGTERM");
    timer = setTimeout(() => killGroup(guard, "SIGKILL"), GRACE_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  };
}

function killGroup(guard: ChildProcess, signal: NodeJS.Signals): void {
  // Once the guard was reaped its number may belong to somebody else.
  if (guard.pid === undefined || guard.exitCode !== null || guard.signalCode !== null) return;
  try {
    process.kill(-guard.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function mask(line: string, secrets: readonly (readonly [string, string])[]): string {
  const values = secrets.flatMap(([, value]) => value.split(/\r?\n/)).filter((value) => value.length > 0);
  return values.reduce((text, value) => text.replaceAll(value, "[secret]"), line);
}

function isDiskFull(line: string): boolean {
  // Linux answers ENOSPC also when file watchers run out.
  return /\bENOSPC\b|no space left on device/i.test(line) && !/watch/i.test(line);
}

function aborted(program: string, signal: AbortSignal): PluginError {
  return new PluginError("ABORTED", `${program} was stopped because the call was cancelled`, { cause: signal.reason });
}

function notStarted(program: string, { code, cwd }: { readonly code: string; readonly cwd: string }): PluginError {
  if (!existsSync(cwd)) return new PluginError("INTERNAL", `${program} cannot run in ${cwd}: there is no such folder`);
  if (code === "ENOENT") {
    return new PluginError("UNSUPPORTED", `the program ${program} was not found on PATH`, {
      hint: `Install ${program} on this machine, or see that it is on the PATH of the control plane.`,
    });
  }
  if (code === "EACCES") {
    return new PluginError("UNSUPPORTED", `the program ${program} may not be executed`, {
      hint: `Make it executable: chmod +x ${program}`,
    });
  }
  return new PluginError("INTERNAL", `${program} could not be started in ${cwd}: ${code}`, { details: { code } });
}
