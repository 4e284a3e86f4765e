import { isAbsolute, normalize } from "node:path";
import { asSupervisorError, SupervisorError } from "./errors.ts";
import { familyUsage, usageOf } from "./group.ts";
import { Keeper, type KeeperWorld } from "./keeper.ts";
import type { LogWriter } from "./log-writer.ts";
import type { Operation } from "./protocol.ts";
import { realPath, type SupervisorPaths } from "./paths.ts";
import { bootId } from "./proc.ts";
import { newRecord, Records } from "./records.ts";
import { findRemains } from "./recover.ts";
import { type Unit, type UnitStatus, hasLabels, unitFault } from "./unit.ts";

const ADOPTED_POLL_MS = 200;
const MEMORY_POLL_MS = 1000;

/** All units of one home. */
export class Hub {
  readonly #paths: SupervisorPaths;
  readonly #records: Records;
  readonly #world: KeeperWorld;
  readonly #keepers = new Map<string, Keeper>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #journal: LogWriter;
  #isClosing = false;

  constructor(paths: SupervisorPaths, journal: LogWriter) {
    this.#paths = paths;
    this.#journal = journal;
    this.#records = new Records(paths);
    this.#world = { paths, records: this.#records, boot: bootId(), portsBut: (name) => this.#portsBut(name) };
  }

  /** Finds the units of an earlier supervisor. `resume`: what shall run and does not is started. Call once, before anything else. */
  open(options: { readonly resume: boolean }): void {
    const records = this.#records.all();
    const found = findRemains(records, this.#world.boot);
    for (const record of records) {
      const keeper = new Keeper(this.#world, record);
      this.#keepers.set(record.unit.name, keeper);
      const remains = found.get(record.unit.name);
      if (remains?.main) keeper.adopt(remains.main.identity, remains.main.start);
      else keeper.foundGone({ hasStrays: remains?.hasStrays ?? false });
    }
    for (const keeper of this.#keepers.values()) this.#inBackground(keeper, () => this.#takeUp(keeper, options.resume));
    this.#timers.push(
      setInterval(() => this.#pollAdopted(), ADOPTED_POLL_MS),
      setInterval(() => this.#watchMemory(), MEMORY_POLL_MS),
    );
  }

  /** The unit is there and as asked when this returns. `graceMs`: for an old process that has to make room. */
  async ensure(unit: Unit, options: { readonly fence: number; readonly graceMs: number }): Promise<void> {
    if (this.#isClosing) throw new SupervisorError("SHUTTING_DOWN", "the supervisor is stopping");
    const fault = unitFault(unit) ?? ownsFault(unit, this.#paths.home);
    if (fault !== null) throw new SupervisorError("INVALID_UNIT", fault);
    const removed = this.#records.fenceOfRemoved(unit.name);
    if (options.fence < removed)
      throw new SupervisorError("STALE_FENCE", `unit ${unit.name} was removed with fence ${removed}: ${options.fence} is stale`);
    if (this.#keepers.get(unit.name)?.record.isRemoving) await this.remove(unit.name, { fence: options.fence, graceMs: 0 });
    const keeper = this.#keepers.get(unit.name) ?? this.#create(unit, options.fence);
    const isDone = await keeper.exclusive(async () => {
      if (!this.#isKnown(keeper)) return false;
      await keeper.ensure(unit, options);
      return true;
    });
    // It was removed while this waited for its turn.
    if (!isDone) await this.ensure(unit, options);
  }

  /** Runs an operation on a unit; rejects with `NOT_FOUND` when there is none. */
  on<T>(name: string, operation: (keeper: Keeper) => Promise<T>): Promise<T> {
    const missing = new SupervisorError("NOT_FOUND", `there is no unit ${name}`);
    const keeper = this.#keepers.get(name);
    if (keeper === undefined) return Promise.reject(missing);
    return keeper.exclusive(() => (this.#isKnown(keeper) ? operation(keeper) : Promise.reject(missing)));
  }

  /** Gone already is success. */
  async remove(name: string, options: { readonly fence: number | null; readonly graceMs: number }): Promise<void> {
    const keeper = this.#keepers.get(name);
    await keeper?.exclusive(async () => {
      if (!this.#isKnown(keeper)) return;
      await keeper.remove(options);
      this.#keepers.delete(name);
    });
  }

  list({ names, labels, usage }: Omit<Extract<Operation, { readonly op: "list" }>, "op">): UnitStatus[] {
    const chosen = names === null ? [...this.#keepers.values()] : names.flatMap((name) => this.#keepers.get(name) ?? []);
    const units = chosen.map((keeper) => keeper.status()).filter((unit) => hasLabels(unit, labels ?? {}));
    return units.map((unit) => ({ ...unit, usage: usage && unit.pid !== null ? familyUsage(unit.pid) : null }));
  }

  /** The unit's log and state, or null when there is no such unit. */
  find(name: string): Keeper | null {
    return this.#keepers.get(name) ?? null;
  }

  /** Ends all processes but keeps the units: the next supervisor that resumes starts them again. `last` are ended after the others, in their order. */
  async halt(options: { readonly graceMs: number; readonly last: readonly string[] }): Promise<void> {
    this.#isClosing = true;
    const all = [...this.#keepers.values()];
    const isLast = (keeper: Keeper): boolean => options.last.includes(keeper.record.unit.name);
    const end = (keeper: Keeper): Promise<void> => keeper.exclusive(() => keeper.halt(options.graceMs));
    await Promise.all(all.filter((keeper) => !isLast(keeper)).map(end));
    for (const name of options.last) await Promise.all(all.filter((keeper) => keeper.record.unit.name === name).map(end));
  }

  /** Leaves everything as it is. */
  release(): void {
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const keeper of this.#keepers.values()) keeper.release();
  }

  #isKnown(keeper: Keeper): boolean {
    return this.#keepers.get(keeper.record.unit.name) === keeper;
  }

  #create(unit: Unit, fence: number): Keeper {
    const record = newRecord(unit, fence);
    this.#records.writeNew(record, null);
    const keeper = new Keeper(this.#world, record);
    this.#keepers.set(unit.name, keeper);
    return keeper;
  }

  /** Goes on with what an earlier supervisor left: removals, stops, freezes, and starts where those are wanted. */
  async #takeUp(keeper: Keeper, resume: boolean): Promise<void> {
    const { unit, isRemoving } = keeper.record;
    if (isRemoving || unit.tied) {
      await keeper.remove({ fence: null, graceMs: 0 });
      this.#keepers.delete(unit.name);
      return;
    }
    const isGone = keeper.status().pid === null;
    const isWanted = unit.desired === "running" && resume && unit.restart.policy === "always";
    if (!isGone || isWanted || unit.desired !== "running") await keeper.settle();
  }

  #inBackground(keeper: Keeper, operation: () => Promise<void>): void {
    keeper.exclusive(operation).catch((error: unknown) => {
      this.#journal.append("e", [`${keeper.record.unit.name}: ${asSupervisorError(error).message}`]);
    });
  }

  #pollAdopted(): void {
    for (const keeper of this.#keepers.values()) keeper.poll();
  }

  #watchMemory(): void {
    const limited = [...this.#keepers.values()].filter((keeper) => keeper.record.unit.memoryBytes !== undefined);
    const sessions = new Set(limited.flatMap((keeper) => keeper.record.process?.pid ?? []));
    if (sessions.size === 0) return;
    const rough = usageOf(sessions, { withPss: false });
    const suspects = limited.filter(
      (keeper) => (rough.get(keeper.record.process?.pid ?? 0)?.rssBytes ?? 0) > keeper.record.unit.memoryBytes!,
    );
    // Pages that several processes share count once only, so the exact figure decides.
    const exact = usageOf(new Set(suspects.map((keeper) => keeper.record.process!.pid)), { withPss: true });
    for (const keeper of suspects) {
      const usage = exact.get(keeper.record.process!.pid);
      const used = usage?.pssBytes ?? usage?.rssBytes ?? 0;
      if (used > keeper.record.unit.memoryBytes!) keeper.killForMemory(used);
    }
  }

  #portsBut(name: string): ReadonlySet<number> {
    const others = [...this.#keepers.values()].filter((keeper) => keeper.record.unit.name !== name);
    return new Set(others.flatMap((keeper) => keeper.record.port ?? []));
  }
}

/** What a removal may delete is only what the home owns: a wrong path must not cost anybody's data. */
function ownsFault(unit: Unit, home: string): string | null {
  const wrong = (unit.owns ?? []).find((path) => {
    if (!isAbsolute(path) || normalize(path) !== path) return true;
    const real = realPath(path);
    return !real.startsWith(`${home}/`) && !/^\/dev\/shm\/helix-[^/]/.test(real);
  });
  return wrong === undefined ? null : `unit ${unit.name} cannot own ${wrong}: it is not under ${home} or /dev/shm/helix-*`;
}
