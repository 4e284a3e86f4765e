import type { Socket } from "node:net";
import { openSocket } from "./connection.ts";
import { SupervisorError } from "./errors.ts";
import { socketPath } from "./paths.ts";
import type { ProcessIdentity } from "./proc.ts";
import { type Answer, documentReader, type Listing, type Operation } from "./protocol.ts";
import { streamLog } from "./log-client.ts";
import { type Unit, type UnitLogLine, type UnitStatus, hasLabels } from "./unit.ts";

const ANSWER_MS = 15_000;
const DEFAULT_GRACE_MS = 10_000;

/** Who asks: an operation with a lower fence than the unit has seen is refused with `STALE_FENCE`. Absent: not checked. */
export interface FenceOptions {
  readonly fence?: number;
}

export interface StopOptions extends FenceOptions {
  /** Time between the request to end and SIGKILL, milliseconds. Default 10 s. */
  readonly graceMs?: number;
}

export interface LogOptions {
  /** Only lines with a greater cursor. */
  readonly after?: number | null;
  /** Only the last lines. */
  readonly tail?: number | null;
  /** Go on with what comes, until `signal` or until the unit is removed. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

export interface ListOptions {
  readonly names?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly usage?: boolean;
}

/**
 * A connection to the supervisor of one home. Every call rejects with {@link SupervisorError}: `UNAVAILABLE` once the connection is
 * closed, `TIMEOUT` when the supervisor does not answer.
 */
export class SupervisorClient {
  /** Resolves when the connection is closed, by whichever side. */
  readonly closed: Promise<void>;
  readonly #home: string;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: SupervisorError) => void }>();
  #lastId = 0;

  private constructor(home: string, socket: Socket) {
    this.#home = home;
    this.#socket = socket;
    const read = documentReader();
    socket.on("data", (chunk: string) => {
      for (const answer of read(chunk)) this.#settle(answer as Answer);
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        const error = new SupervisorError("UNAVAILABLE", "the connection to the supervisor was closed");
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** Connects; rejects with `UNAVAILABLE` when no supervisor runs. */
  static async connect(home: string): Promise<SupervisorClient> {
    return new SupervisorClient(home, await openSocket(socketPath(home, "supervisor")));
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Who the supervisor is. */
  ping(options: { readonly timeoutMs?: number } = {}): Promise<ProcessIdentity> {
    return this.#ask<ProcessIdentity>({ op: "ping" }, options.timeoutMs);
  }

  /** Makes the unit run as given. One that runs with the same `specDigest` is left alone, or thawed. */
  ensure(unit: Unit, options: StopOptions = {}): Promise<UnitStatus> {
    const graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    return this.#ask<UnitStatus>({ op: "ensure", unit, fence: options.fence ?? unit.fence, graceMs }, graceMs + ANSWER_MS);
  }

  /** Ends the process; the unit stays known as stopped. */
  async stop(name: string, options: StopOptions = {}): Promise<void> {
    const graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    await this.#ask({ op: "stop", name, fence: options.fence ?? null, graceMs }, graceMs + ANSWER_MS);
  }

  /** Ends the process and removes the unit, its logs and the folders it owns. Gone already is success. */
  async remove(name: string, options: StopOptions = {}): Promise<void> {
    const graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    // Deleting a large folder takes its time.
    await this.#ask({ op: "remove", name, fence: options.fence ?? null, graceMs }, graceMs + 8 * ANSWER_MS);
  }

  /** Stops the process group from executing anything. */
  async freeze(name: string, options: FenceOptions = {}): Promise<void> {
    await this.#ask({ op: "freeze", name, fence: options.fence ?? null });
  }

  /** Lets a frozen process group go on; starts one that is gone. */
  async thaw(name: string, options: FenceOptions = {}): Promise<void> {
    await this.#ask({ op: "thaw", name, fence: options.fence ?? null });
  }

  /** One unit, with what it uses; null when it is not known. */
  async status(name: string): Promise<UnitStatus | null> {
    return (await this.list({ names: [name], usage: true }))[0] ?? null;
  }

  /** Units by name, by labels that they all carry, or all. `usage` reads what their processes use. */
  async list({ names, labels, usage = false }: ListOptions = {}): Promise<Listing> {
    const units = await this.#ask<Listing>({ op: "list", names: names ?? null, labels: labels ?? null, usage });
    // A supervisor that runs since an earlier version does not know labels, and answers with all.
    return units.filter((unit) => hasLabels(unit, labels ?? {}));
  }

  /** Resolves when the unit's process has ended for good. Rejects with `NOT_FOUND` when the unit is removed. No time limit. */
  wait(name: string): Promise<UnitStatus> {
    return this.#ask<UnitStatus>({ op: "wait", name }, null);
  }

  /** Lines of a unit's output, on a connection of their own. */
  logs(name: string, options: LogOptions = {}): AsyncIterable<UnitLogLine> {
    return streamLog(this.#home, name, options);
  }

  /**
   * Ends the supervisor. `all`: its processes too, those named in `last` after the others, one after the other; the units stay known, so that a supervisor
   * started with `resume` starts them again. `none`: they go on.
   */
  async shutdown(options: {
    readonly stopUnits: "all" | "none";
    readonly graceMs?: number;
    readonly last?: readonly string[];
  }): Promise<void> {
    const graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    await this.#ask(
      { op: "shutdown", stopUnits: options.stopUnits, graceMs, last: options.last ?? [] },
      (1 + (options.last?.length ?? 0)) * (graceMs + ANSWER_MS),
    );
    await this.closed;
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask<T = unknown>(operation: Operation, timeoutMs: number | null = ANSWER_MS): Promise<T> {
    if (this.isClosed) return Promise.reject(new SupervisorError("UNAVAILABLE", "the connection to the supervisor is closed"));
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      const timer = timeoutMs === null ? null : setTimeout(() => this.#giveUp(id, operation, timeoutMs), timeoutMs);
      const settle = (finish: () => void): void => {
        if (timer !== null) clearTimeout(timer);
        finish();
      };
      this.#waiting.set(id, { resolve: (result) => settle(() => resolve(result as T)), reject: (error) => settle(() => reject(error)) });
      this.#socket.write(`${JSON.stringify({ id, ...operation })}\n`);
    });
  }

  #giveUp(id: number, operation: Operation, afterMs: number): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.reject(new SupervisorError("TIMEOUT", `the supervisor did not answer ${operation.op} within ${afterMs} ms`));
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.result);
    else waiting?.reject(new SupervisorError(answer.error.code, answer.error.message));
  }
}
