import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { readJson, writeJson } from "./files.ts";
import type { SupervisorPaths } from "./paths.ts";
import type { ProcessIdentity } from "./proc.ts";
import type { Unit } from "./unit.ts";

/** What is written down of one unit: enough for a successor to find its process, or to know that there is none. */
export interface UnitRecord {
  readonly version: 1;
  readonly unit: Unit;
  /** Marks every process started for this record (`HELIX_UNIT=<name>:<nonce>:<start>`), so that one that was not written down is found. */
  readonly nonce: string;
  /** Counts starts. Raised and written before each one. */
  readonly starts: number;
  /** The last start whose end was seen. */
  readonly ended: number;
  /** The process as last known; null when its end was seen. */
  readonly process: RecordedProcess | null;
  readonly port: number | null;
  readonly restarts: number;
  readonly lastExit: { readonly code: number | null; readonly at: string } | null;
  /** Highest fence seen. */
  readonly fence: number;
  readonly createdAt: string;
  /** Grace of a stop under way, for a successor that has to finish it. */
  readonly stopGraceMs: number | null;
  /** A removal under way. */
  readonly isRemoving: boolean;
}

/** A process and when it began: of which boot, as which start of its unit, at what time. */
export interface RecordedProcess extends ProcessIdentity {
  readonly boot: string;
  readonly start: number;
  readonly at: string;
}

const TOMBSTONES = 1000;

/** Keeps the records of one home. Environments, which may hold secrets, are in files of their own. */
export class Records {
  readonly #paths: SupervisorPaths;
  #tombstones: Record<string, number>;

  constructor(paths: SupervisorPaths) {
    this.#paths = paths;
    for (const folder of [paths.root, paths.units, paths.env, paths.fifos, paths.logs]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#tombstones = readJson<Record<string, number>>(this.#tombstonePath) ?? {};
  }

  all(): UnitRecord[] {
    const found: UnitRecord[] = [];
    const environments = new Set<string>();
    for (const file of readdirSync(this.#paths.units)) {
      if (!file.endsWith(".json")) continue;
      const record = readJson<UnitRecord>(join(this.#paths.units, file));
      if (record === null || record.version !== 1) continue;
      const path = this.#envPath(record);
      environments.add(basename(path));
      found.push({ ...record, unit: { ...record.unit, env: readJson<Record<string, string>>(path) ?? {} } });
    }
    for (const file of readdirSync(this.#paths.env)) if (!environments.has(file)) rmSync(join(this.#paths.env, file), { force: true });
    return found;
  }

  /** Writes the environment, then the record that names it, so that a record never stands with another one's environment. */
  writeNew(record: UnitRecord, old: UnitRecord | null): void {
    const [path, oldPath] = [this.#envPath(record), old === null ? null : this.#envPath(old)];
    writeJson(path, record.unit.env, { durable: true });
    try {
      this.write(record, { durable: true });
    } catch (error) {
      if (path !== oldPath) rmSync(path, { force: true });
      throw error;
    }
    if (oldPath !== null && path !== oldPath) rmSync(oldPath, { force: true });
  }

  /** `durable` for what people asked for; what only this boot knows (pids) needs to survive no power cut. */
  write(record: UnitRecord, options: { readonly durable: boolean }): void {
    writeJson(this.#recordPath(record.unit.name), { ...record, unit: { ...record.unit, env: {} } }, options);
  }

  /** Forgets a unit but for its fence, which goes on keeping out whoever is behind. */
  remove(record: UnitRecord): void {
    const entries = Object.entries({ ...this.#tombstones, [record.unit.name]: record.fence });
    this.#tombstones = Object.fromEntries(entries.slice(-TOMBSTONES));
    rmSync(this.#recordPath(record.unit.name), { force: true });
    rmSync(this.#envPath(record), { force: true });
    try {
      writeJson(this.#tombstonePath, this.#tombstones, { durable: false });
    } catch {
      // On a full disk the fence is kept by this process alone.
    }
  }

  /** The highest fence of a unit that was removed. */
  fenceOfRemoved(name: string): number {
    return this.#tombstones[name] ?? Number.NEGATIVE_INFINITY;
  }

  get #tombstonePath(): string {
    return join(this.#paths.root, "removed.json");
  }

  #envPath({ unit, nonce }: UnitRecord): string {
    return join(this.#paths.env, `${unit.name}.${nonce}.json`);
  }

  #recordPath(name: string): string {
    return join(this.#paths.units, `${name}.json`);
  }
}

/** The record of a unit that was never started. */
export function newRecord(unit: Unit, fence: number): UnitRecord {
  return {
    version: 1,
    unit,
    nonce: randomBytes(8).toString("hex"),
    starts: 0,
    ended: 0,
    process: null,
    port: null,
    restarts: 0,
    lastExit: null,
    fence,
    createdAt: new Date().toISOString(),
    stopGraceMs: null,
    isRemoving: false,
  };
}
