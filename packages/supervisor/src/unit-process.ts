import { setTimeout as sleep } from "node:timers/promises";
import { constants } from "node:os";
import { signalGroup, signalProcess } from "./group.ts";
import { launch, type LaunchInput, prepareOutput } from "./launch.ts";
import type { LogWriter } from "./log-writer.ts";
import { OutputPipe } from "./output-pipe.ts";
import { isAlive, isStopped, type ProcessIdentity, readStat } from "./proc.ts";
import { unitRedactor } from "./unit-secrets.ts";
import type { Unit } from "./unit.ts";

const KILL_WAIT_MS = 10_000;
const POLL_MS = 5;
const FREEZE_WAIT_MS = 1000;

/** One life of a unit: a process that this supervisor started or took over, and the pipes that bring its output. */
export class UnitProcess {
  readonly identity: ProcessIdentity;
  readonly #pipes: readonly OutputPipe[];
  readonly #onEnd: (code: number | null) => void;
  #isOwnChild: boolean;
  #isOver = false;

  private constructor(
    identity: ProcessIdentity,
    pipes: readonly OutputPipe[],
    world: { isOwnChild: boolean; onEnd: (code: number | null) => void },
  ) {
    this.identity = identity;
    this.#pipes = pipes;
    this.#isOwnChild = world.isOwnChild;
    this.#onEnd = world.onEnd;
  }

  /** Starts one; answers with the reason when that fails. `onEnd` gets the exit code, or null when it is not known. */
  static async launch(unit: Unit, input: LaunchInput & Output): Promise<UnitProcess | string> {
    let pipes: OutputPipe[] = [];
    try {
      prepareOutput(unit, input.fifos);
      pipes = openPipes(unit, input);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const started = await launch(unit, input);
    if ("failure" in started) {
      for (const pipe of pipes) pipe.close();
      return started.failure;
    }
    const identity = { pid: started.pid, startTicks: readStat(started.pid)?.startTicks ?? "" };
    const process = new UnitProcess(identity, pipes, { isOwnChild: true, onEnd: input.onEnd });
    started.child.once("exit", (code, signal) => process.#end(signal === null ? code : 128 + constants.signals[signal]));
    return process;
  }

  /** Takes over one that an earlier supervisor started. Nobody reports its end: call {@link poll}. */
  static adopt(unit: Unit, input: Output & { readonly identity: ProcessIdentity }): UnitProcess {
    prepareOutput(unit, input.fifos);
    return new UnitProcess(input.identity, openPipes(unit, input), { isOwnChild: false, onEnd: input.onEnd });
  }

  get isAlive(): boolean {
    return !this.#isOver && isAlive(this.identity);
  }

  get isStopped(): boolean {
    return isStopped(this.identity);
  }

  /** Sees whether a process that is no child of ours has ended. */
  poll(): void {
    if (!this.#isOver && !this.#isOwnChild && !isAlive(this.identity)) this.#end(null);
  }

  /** Returns once the main process executes nothing any more. */
  async freeze(): Promise<void> {
    signalGroup(this.identity, "SIGSTOP");
    for (const until = Date.now() + FREEZE_WAIT_MS; this.isAlive && !this.isStopped && Date.now() < until;) await sleep(1);
  }

  thaw(): void {
    signalGroup(this.identity, "SIGCONT");
  }

  kill(): void {
    signalGroup(this.identity, "SIGKILL");
  }

  /** Asks the main process to end, waits, then kills the whole group. Returns once it is over; throws when even that fails. */
  async stop(options: { readonly graceMs: number; readonly signal: NodeJS.Signals }): Promise<void> {
    if (options.graceMs > 0) {
      signalProcess(this.identity, options.signal);
      // A frozen process gets the signal once it runs again.
      this.thaw();
      await this.over(options.graceMs);
    }
    this.kill();
    if (await this.over(KILL_WAIT_MS)) return;
    throw new Error(`process ${this.identity.pid} does not end, even by SIGKILL`);
  }

  /** Waits for the end. Whether it came in time. */
  async over(forMs: number): Promise<boolean> {
    for (const until = Date.now() + forMs; !this.#isOver; await sleep(POLL_MS)) {
      this.poll();
      if (!this.#isOver && Date.now() >= until) return false;
    }
    return true;
  }

  /** Stops reading its output. The process goes on. */
  release(): void {
    this.#isOver = true;
    for (const pipe of this.#pipes) pipe.close();
  }

  #end(code: number | null): void {
    if (this.#isOver) return;
    this.release();
    this.#onEnd(code);
  }
}

/** Where the output comes from and goes to, and who hears of the end. */
export interface Output {
  readonly fifos: readonly [string, string];
  readonly log: LogWriter;
  readonly onEnd: (code: number | null) => void;
}

function openPipes(unit: Unit, { fifos, log }: Output): OutputPipe[] {
  const redactor = unitRedactor(unit);
  return (["o", "e"] as const).map((stream, i) => {
    return new OutputPipe(fifos[i]!, { mask: redactor.stream(), onLines: (lines) => log.append(stream, lines) });
  });
}
