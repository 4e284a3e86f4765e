import { createRedactor } from "@helixstack/sdk/redact";
import { EngineError, toEngineError } from "../domain/errors.ts";
import type { HostProcess, InstalledPlugin, PluginCall } from "../ports/plugins.ts";
import { answerChecks } from "./answer-check.ts";
import { callError, labelOf, placeOf, seconds } from "./call-errors.ts";
import { BrokenFrame, encodeFrame, frameReader } from "./frames.ts";
import { toFromHost } from "./from-host.ts";
import { handshakeProblem } from "./handshake.ts";
import { type HostOutput, lastLines } from "./host-output.ts";
import { type HostLink, type PendingCall, pendingCall } from "./pending-call.ts";
import { CANCEL_GRACE_MS, type FromHost, MAX_MESSAGE_BYTES, STREAM_WINDOW, type ToHost } from "./protocol.ts";
import { STREAMING } from "./contract-schemas.ts";
import type { SpawnedHost } from "./spawn-host.ts";
import type { StopWatch } from "./stop-watch.ts";

/** Loading a plugin on a busy machine takes a second or two; more means that its module does not come back. */
const START_TIMEOUT_MS = 30_000;

export interface PluginHostOptions {
  readonly plugin: InstalledPlugin;
  readonly onOutput?: ((output: HostOutput) => void) | undefined;
}

export interface RunOptions {
  readonly watch: StopWatch;
  readonly workdir: string;
  /** Takes the items of a verb that streams, as they came together. */
  readonly onItems?: (values: readonly unknown[]) => void;
}

/** A call on a host. */
export interface HostedCall {
  readonly outcome: Promise<unknown>;
  /** Lets the plugin send that many more messages with items. */
  credit(messages: number): void;
}

/** One plugin's process and the calls that it has. */
export class PluginHost implements HostLink {
  readonly plugin: InstalledPlugin;
  readonly checks: HostLink["checks"];
  readonly redactor = createRedactor();
  readonly credentials = new Set<string>();
  readonly record: HostProcess;
  /** When its process is gone and its calls have failed. */
  readonly gone: Promise<void>;
  /** True once it takes no more calls. */
  isEnding = false;

  readonly #spawned: SpawnedHost;
  readonly #calls = new Map<number, PendingCall>();
  readonly #stderr: () => readonly string[];
  #lastId = 0;
  #killedBecause: string | undefined;
  #broken: string | undefined;
  #handshake: { resolve: (message: FromHost) => void; reject: (error: EngineError) => void } | undefined;

  constructor(spawned: SpawnedHost, { plugin, onOutput }: PluginHostOptions) {
    this.plugin = plugin;
    this.checks = answerChecks(plugin);
    this.record = spawned.record;
    this.#spawned = spawned;
    const { plugin: name, pid } = spawned.record;
    const tell = (stream: HostOutput["stream"]) => (text: string) =>
      onOutput?.({ plugin: name, pid, stream, text: this.redactor.text(text) });
    lastLines(spawned.stdout, tell("stdout"));
    this.#stderr = lastLines(spawned.stderr, tell("stderr"));
    const read = frameReader();
    spawned.pipe.on("data", (chunk: Buffer) => this.#receive(() => read(chunk)));
    // Its end shows as the end of the process.
    spawned.pipe.on("error", () => {});
    spawned.lifeline.on("error", () => {}).resume();
    this.gone = spawned.ended.then((how) => this.#buried(how));
  }

  /** How many calls it has. */
  get load(): number {
    return this.#calls.size;
  }

  /** Loads the plugin's code. Rejects with `PLUGIN_INVALID` where it is not what its manifest says; the process is then ended. */
  async start(home: string): Promise<void> {
    const { manifest, folder, config } = this.plugin;
    const timeout = setTimeout(() => this.kill(`its module was not loaded within ${seconds(START_TIMEOUT_MS)}`), START_TIMEOUT_MS);
    try {
      const answer = await new Promise<FromHost>((resolve, reject) => {
        this.#handshake = { resolve, reject };
        this.send({ type: "start", entry: `${folder}/${manifest.entry}`, home, config });
      });
      const problem = answer.type === "hello" ? handshakeProblem(manifest, answer.manifest) : (answer as { message?: string }).message;
      if (problem) throw this.#error("PLUGIN_INVALID", `cannot be used: ${problem}`);
    } catch (error) {
      this.end();
      throw error;
    } finally {
      clearTimeout(timeout);
    }
  }

  run(call: PluginCall, { watch, workdir, onItems }: RunOptions): HostedCall {
    const id = ++this.#lastId;
    const { plane, verb, identity, operationId, fence, input, stateVersion = null } = call;
    const place = placeOf(call, this.plugin);
    const credit = STREAMING.has(`${plane}.${verb}`) ? STREAM_WINDOW : null;
    const current = plane === "build" ? undefined : this.plugin.manifest.planes[plane]?.stateVersion;
    const upgradeFrom = stateVersion === current ? null : stateVersion;
    const frame = encodeFrame({
      type: "call",
      id,
      plane,
      verb,
      identity,
      operationId,
      fence,
      workdir,
      input,
      credit,
      stateVersion: upgradeFrom,
    } satisfies ToHost);
    if (frame === null) throw callError("LIMIT_EXCEEDED", place, `takes at most ${MAX_MESSAGE_BYTES} bytes of input`);
    this.#spawned.pipe.write(frame);
    const pending = pendingCall({ id, call, link: this, watch, ...(onItems && { onItems }) });
    this.#calls.set(id, pending);
    const outcome = pending.outcome.finally(() => this.#calls.delete(id));
    return { outcome, credit: (messages) => this.send({ type: "credit", id, messages }) };
  }

  send(message: ToHost): void {
    const frame = encodeFrame(message);
    if (frame !== null && this.#spawned.pipe.writable) this.#spawned.pipe.write(frame);
  }

  /** Ends it in order: its process ends as its pipe closes. */
  end(): void {
    this.isEnding = true;
    this.#spawned.pipe.end();
    this.#spawned.lifeline.end();
    const timer = setTimeout(() => this.kill("it did not end in order"), CANCEL_GRACE_MS);
    void this.gone.then(() => clearTimeout(timer));
  }

  kill(reason: string): void {
    this.isEnding = true;
    this.#killedBecause ??= reason;
    this.#spawned.kill();
  }

  #receive(read: () => readonly Record<string, unknown>[]): void {
    try {
      for (const message of read()) this.#route(toFromHost(message));
    } catch (error) {
      // Whoever writes this to the pipe may write anything: nothing that follows can be believed.
      this.#broken ??= (error as Error).message;
      this.kill(this.#broken);
    }
  }

  #route(message: FromHost): void {
    if (message.type === "hello" || message.type === "unusable") return this.#handshake?.resolve(message);
    if (message.id < 1 || message.id > this.#lastId) throw new BrokenFrame(`a message is about call ${message.id}, which there never was`);
    // A call that is not there any more has been settled: its late words go nowhere.
    const pending = this.#calls.get(message.id);
    try {
      pending?.receive(message);
    } catch (error) {
      // Whoever takes the call's log or progress failed: the call's matter, not the plugin's.
      pending?.fail(toEngineError(error));
    }
  }

  #buried(how: string): void {
    this.isEnding = true;
    const logs = this.redactor.deep(this.#stderr());
    this.#handshake?.reject(this.#error("PLUGIN_CRASHED", `did not start: ${this.#killedBecause ?? `its process ended (${how})`}`, logs));
    for (const [, pending] of this.#calls) pending.fail(this.#failure(how, logs));
  }

  #failure(how: string, logs: readonly string[]): EngineError {
    if (this.#broken !== undefined) return this.#error("PLUGIN_NONSENSE", `broke the protocol: ${this.#broken}`, logs);
    if (this.#killedBecause !== undefined) return this.#error("PLUGIN_CRASHED", `was ended during the call: ${this.#killedBecause}`, logs);
    return this.#error("PLUGIN_CRASHED", `ended during the call: ${how}`, logs);
  }

  #error(code: "PLUGIN_INVALID" | "PLUGIN_CRASHED" | "PLUGIN_NONSENSE", what: string, logs: readonly string[] = []): EngineError {
    const plugin = labelOf(this.plugin);
    return new EngineError(code, `the plugin ${plugin} ${what}`, { plugin, ...(logs.length > 0 && { logs }) });
  }
}
