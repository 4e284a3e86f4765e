import { rmSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "@helixstack/sdk/exec";
import { SupervisorError } from "./errors.ts";
import { sweep } from "./group.ts";
import { logPath, removeLog } from "./log-files.ts";
import { LogWriter } from "./log-writer.ts";
import type { SupervisorPaths } from "./paths.ts";
import { freePort } from "./ports.ts";
import type { ProcessIdentity } from "./proc.ts";
import { newRecord, type Records, type UnitRecord } from "./records.ts";
import { RestartTimer } from "./restart-timer.ts";
import type { Unit, UnitStatus } from "./unit.ts";
import { describeUnit } from "./unit-status.ts";
import { type Output, UnitProcess } from "./unit-process.ts";

/** What keepers share. */
export interface KeeperWorld {
  readonly paths: SupervisorPaths;
  readonly records: Records;
  readonly boot: string;
  /** Ports of all other units. */
  portsBut(name: string): ReadonlySet<number>;
}

/** A fence of null asks for no check. */
interface Fenced {
  readonly fence: number | null;
}

/** Keeps one unit as its record says. Operations run one after the other: call them inside {@link exclusive}. */
export class Keeper {
  readonly log: LogWriter;
  readonly #world: KeeperWorld;
  readonly #restart: RestartTimer;
  #record: UnitRecord;
  #process: UnitProcess | null = null;
  /** Set while descendants of a process that ended may be left. */
  #leftBehind: { readonly leader: ProcessIdentity | null } | null = null;
  #isHalted = false;
  readonly #onEnd = new Set<() => void>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(world: KeeperWorld, record: UnitRecord) {
    this.#world = world;
    this.#record = record;
    this.log = new LogWriter(logPath(world.paths.logs, record.unit.name), record.unit.log);
    this.#restart = new RestartTimer(() => void this.exclusive(() => this.#startAgain()));
  }

  get record(): UnitRecord {
    return this.#record;
  }

  /** Runs an operation after those that were asked for before it. */
  exclusive<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(operation);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Takes over a process that an earlier supervisor started. */
  adopt(identity: ProcessIdentity, start: number): void {
    const at = this.#record.process?.at ?? new Date().toISOString();
    this.#process = UnitProcess.adopt(this.#record.unit, { ...this.#output, identity });
    this.#restart.began(Date.now());
    const starts = Math.max(start, this.#record.starts);
    this.#save({ starts, process: { pid: identity.pid, startTicks: identity.startTicks, boot: this.#world.boot, start, at } });
  }

  /** Notes that the process ended while no supervisor was there to see how. */
  foundGone(options: { readonly hasStrays: boolean }): void {
    const { process, starts } = this.#record;
    if (process !== null) this.#save({ process: null, ended: starts, lastExit: { code: null, at: new Date().toISOString() } });
    if (!options.hasStrays) return;
    this.#leftBehind = { leader: process };
    void this.exclusive(() => this.#sweepRest());
  }

  /** Makes the unit what `unit` says. The same spec, running, is left alone. */
  async ensure(unit: Unit, options: { readonly fence: number; readonly graceMs: number }): Promise<void> {
    this.#checkFence(options.fence);
    const old = this.#record;
    const fence = Math.max(options.fence, old.fence);
    if (old.unit.specDigest !== unit.specDigest) return this.#replace({ ...newRecord(unit, fence), port: old.port }, options.graceMs);
    const next = { ...old, unit, fence, stopGraceMs: null };
    if (old.fence !== fence || JSON.stringify(old.unit) !== JSON.stringify(unit)) this.#writeNew(next);
    await this.settle();
  }

  /** Brings the process to what the record asks for. */
  async settle(): Promise<void> {
    const { desired } = this.#record.unit;
    if (desired === "stopped") return this.#end(this.#record.stopGraceMs ?? 0);
    if (desired === "frozen") return this.#process?.freeze();
    if (this.#process?.isAlive) return this.#process.isStopped ? this.#process.thaw() : undefined;
    // Dead, but its end was not reported yet.
    await this.#process?.over(1000);
    await this.#start({ isAnew: true });
  }

  async stop(options: Fenced & { readonly graceMs: number }): Promise<void> {
    this.#want("stopped", options.fence, options.graceMs);
    await this.#end(options.graceMs);
  }

  async freeze(options: Fenced): Promise<void> {
    this.#want("frozen", options.fence, null);
    this.#restart.cancel();
    await this.settle();
  }

  async thaw(options: Fenced): Promise<void> {
    this.#want("running", options.fence, null);
    await this.settle();
  }

  /** Stops the unit and removes all that is its own. Done in part already is no hindrance. */
  async remove(options: Fenced & { readonly graceMs: number }): Promise<void> {
    this.#checkFence(options.fence);
    // Not even a full disk may stop this: it is what frees space.
    this.#save({ isRemoving: true, fence: this.#raised(options.fence) });
    await this.#end(options.graceMs);
    await sweep(this.#mark, null);
    for (const folder of this.#record.unit.owns ?? []) await removeTree(folder);
    for (const fifo of this.#output.fifos) rmSync(fifo, { force: true });
    this.log.close();
    removeLog(logPath(this.#world.paths.logs, this.#record.unit.name));
    this.#world.records.remove(this.#record);
    this.#announceEnd();
  }

  /** Ends the process without changing what is asked for: a later supervisor starts it again. */
  async halt(graceMs: number): Promise<void> {
    this.#isHalted = true;
    await this.#end(graceMs);
  }

  /** Calls back at each end of the process and at the removal of the unit, until the returned function is called. */
  onEnd(listener: () => void): () => void {
    this.#onEnd.add(listener);
    return () => void this.#onEnd.delete(listener);
  }

  /** Looks after a process that is not this supervisor's child, whose end nobody reports. */
  poll(): void {
    this.#process?.poll();
  }

  /** Kills the process because its memory is above the limit. It is started again like after any other end. */
  killForMemory(usedBytes: number): void {
    const mib = (bytes: number): number => Math.round(bytes / 1_048_576);
    const allowed = mib(this.#record.unit.memoryBytes ?? 0);
    this.log.append("e", [`helix: memory limit reached: ${mib(usedBytes)} MiB used, ${allowed} MiB allowed; killed`]);
    this.#process?.kill();
  }

  /** Stops looking; the process goes on. */
  release(): void {
    this.#restart.cancel();
    this.#process?.release();
    this.log.close();
  }

  /** Whether how the process ended is written down, if it has ended: `/proc` shows the end a moment before its parent hears of it. */
  get isEndKnown(): boolean {
    return this.#process === null;
  }

  status(): Omit<UnitStatus, "usage"> {
    return describeUnit(this.#record, { process: this.#process, isRestartPending: this.#restart.isPending });
  }

  async #replace(record: UnitRecord, graceMs: number): Promise<void> {
    await this.#end(graceMs);
    try {
      this.#writeNew(record);
    } catch (error) {
      // The old spec is still the recorded one, so the old process must be there.
      await this.settle();
      throw error;
    }
    await this.settle();
  }

  async #startAgain(): Promise<void> {
    if (this.#record.unit.desired !== "running" || this.#isHalted || this.#process !== null) return;
    this.#save({ restarts: this.#record.restarts + 1 });
    await this.#start({ isAnew: false });
  }

  /** `isAnew`: asked for by somebody, so that back-off and counters begin again. */
  async #start(options: { readonly isAnew: boolean }): Promise<void> {
    this.#restart.cancel();
    if (options.isAnew) this.#restart.reset();
    await this.#sweepRest();
    const port = await this.#choosePort();
    const { unit } = this.#record;
    const starts = this.#record.starts + 1;
    this.#save({ starts, port, ...(options.isAnew && { restarts: 0 }) });
    const started = await UnitProcess.launch(unit, { ...this.#output, port, marker: { ...this.#mark, start: starts } });
    if (typeof started === "string") return this.#couldNotStart(started);
    this.#process = started;
    this.#restart.began(Date.now());
    this.#save({ process: { ...started.identity, boot: this.#world.boot, start: starts, at: new Date().toISOString() } });
  }

  #couldNotStart(reason: string): void {
    const { unit, starts } = this.#record;
    this.log.append("e", [`helix: ${(unit.launcher ?? unit.argv)[0]} could not be started in ${unit.cwd}: ${reason}`]);
    this.#save({ ended: starts, lastExit: { code: 127, at: new Date().toISOString() } });
    this.#planRestart();
    this.#announceEnd();
  }

  #announceEnd(): void {
    for (const listener of this.#onEnd) listener();
  }

  #choosePort(): Promise<number | null> {
    const { unit, port } = this.#record;
    return unit.portVariable === undefined ? Promise.resolve(port) : freePort(port, this.#world.portsBut(unit.name));
  }

  #ended(code: number | null): void {
    this.#leftBehind = { leader: this.#process?.identity ?? null };
    this.#process = null;
    this.#save({ process: null, ended: this.#record.starts, lastExit: { code, at: new Date().toISOString() } });
    void this.exclusive(() => this.#sweepRest());
    this.#planRestart();
    this.#announceEnd();
  }

  #planRestart(): void {
    const { unit, isRemoving } = this.#record;
    if (unit.desired !== "running" || unit.restart.policy !== "always" || isRemoving || this.#isHalted) return;
    this.#restart.plan(unit.restart);
  }

  async #end(graceMs: number): Promise<void> {
    await this.#process?.stop({ graceMs, signal: this.#record.unit.stopSignal ?? "SIGTERM" });
    this.#restart.cancel();
    await this.#sweepRest();
  }

  /** Only while no process of the unit runs: it would be swept too. */
  async #sweepRest(): Promise<void> {
    if (this.#leftBehind === null || this.#process !== null) return;
    await sweep(this.#mark, this.#leftBehind.leader);
    this.#leftBehind = null;
  }

  #want(desired: Unit["desired"], fence: number | null, stopGraceMs: number | null): void {
    this.#checkFence(fence);
    if (this.#record.isRemoving) throw new SupervisorError("NOT_FOUND", `unit ${this.#record.unit.name} is being removed`);
    this.#save({ unit: { ...this.#record.unit, desired }, stopGraceMs, fence: this.#raised(fence) }, { durable: true });
  }

  #checkFence(fence: number | null): void {
    const { unit, fence: highest } = this.#record;
    if (fence !== null && fence < highest)
      throw new SupervisorError("STALE_FENCE", `unit ${unit.name} has seen fence ${highest}: ${fence} is stale`);
  }

  #raised(fence: number | null): number {
    return Math.max(this.#record.fence, fence ?? this.#record.fence);
  }

  #writeNew(record: UnitRecord): void {
    this.#world.records.writeNew(record, this.#record);
    this.#record = record;
  }

  /** What is asked for must be on disk before it is acted on; what merely happened stays in memory when the disk refuses it. */
  #save(change: Partial<UnitRecord>, options: { readonly durable: boolean } = { durable: false }): void {
    const record = { ...this.#record, ...change };
    try {
      this.#world.records.write(record, options);
    } catch (error) {
      if (options.durable) throw error;
    }
    this.#record = record;
  }

  get #mark(): { readonly name: string; readonly nonce: string } {
    return { name: this.#record.unit.name, nonce: this.#record.nonce };
  }

  get #output(): Output {
    const path = join(this.#world.paths.fifos, this.#record.unit.name);
    return { fifos: [`${path}.out`, `${path}.err`], log: this.log, onEnd: (code) => this.#ended(code) };
  }
}
