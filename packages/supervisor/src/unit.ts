/** One process that the supervisor keeps: what to start and how to treat it. Plain JSON. */
export interface Unit {
  /** Lower case letters, digits, `.`, `_`, `-`; at most 200. Unique in the home. */
  readonly name: string;
  /** What it is for people: `control`, `postgres`, `app`. */
  readonly role: string;
  readonly argv: readonly string[];
  /**
   * What is run with `argv` as its last arguments and becomes it in the end, for what has to be done with more rights than the command may have. Nothing of `env`
   * has a meaning to it: its own environment is a plain `PATH`, and `HELIX_APP` with the names of the command's variables, each of which stands in
   * `HELIX_APP_<name>`. It is to give them their names when it has dropped its rights.
   */
  readonly launcher?: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing of the supervisor's own is added but `HELIX_UNIT` and the port. */
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** Gives the process a free TCP port in this variable. It is kept over restarts unless somebody else has taken it meanwhile. */
  readonly portVariable?: string;
  /** Its secrets: files in memory, read at each start, so that no record of the supervisor has a value. */
  readonly secrets?: UnitSecrets;
  readonly restart: RestartRule;
  readonly log?: { readonly maxBytes: number; readonly files: number };
  /** What shall be. `ensure` takes it as it stands here. */
  readonly desired: Desired;
  readonly labels: Readonly<Record<string, string>>;
  /** Paths without which the process is not started: it would only fail. */
  readonly needs?: readonly string[];
  /** Absolute folders that go when the unit is removed: under the home, or `/dev/shm/helix-*`. */
  readonly owns?: readonly string[];
  /** What asks it to end. Default `SIGTERM`. */
  readonly stopSignal?: "SIGTERM" | "SIGINT" | "SIGQUIT";
  /** Resident bytes of all its processes above which it is killed and started again. */
  readonly memoryBytes?: number;
  /** Ends (SIGKILL) and is removed when the connection that ensured it closes. For work that must not outlive who asked for it. */
  readonly tied?: boolean;
  /** The caller's fence; `ensure` with a lower one than the unit has seen is refused. */
  readonly fence: number;
  /** Changes when the process must be replaced; the caller computes it. */
  readonly specDigest: string;
}

export interface UnitSecrets {
  /** The folder, one file a secret. */
  readonly folder: string;
  /** Those that become variables of the same name. All of them are masked in what the unit writes. */
  readonly env: readonly string[];
}

export type Desired = "running" | "frozen" | "stopped";

export interface RestartRule {
  readonly policy: "always" | "never";
  /** Wait before the first restart; doubles up to `maxMs`, starts anew after `goodMs` of good running. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Default 10 000. */
  readonly goodMs?: number;
}

/** `backing-off`: it ended and will be started again; `exited`: it ended and will not. */
export type UnitPhase = "running" | "frozen" | "stopped" | "exited" | "backing-off";

/** A unit as it is now. */
export interface UnitStatus {
  readonly name: string;
  readonly role: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly phase: UnitPhase;
  readonly desired: Desired;
  readonly pid: number | null;
  readonly startTicks: string | null;
  readonly port: number | null;
  /** Starts after an unexpected end, since it was ensured. */
  readonly restarts: number;
  /** A signal stands as `128 + number`; null as code: not known. */
  readonly lastExit: { readonly code: number | null; readonly at: string } | null;
  /** ISO 8601; null while it does not run. */
  readonly startedAt: string | null;
  readonly createdAt: string;
  readonly specDigest: string;
  readonly fence: number;
  /** Of its process and what that started; null unless asked for with `usage`. */
  readonly usage: Usage | null;
}

/** What the processes of a unit use. */
export interface Usage {
  readonly rssBytes: number;
  readonly cpuSeconds: number;
  readonly processes: number;
}

/** One line of a unit's output. */
export interface UnitLogLine {
  /** Grows with every line of the unit, for ever: microseconds since 1970 when the line was written, or a little more. */
  readonly c: number;
  /** ISO 8601. */
  readonly t: string;
  readonly s: "o" | "e";
  readonly m: string;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,199}$/;

/** Says what is wrong with a unit, or null. */
export function unitFault(unit: Unit): string | null {
  if (!isUnitName(unit.name)) return `the unit name ${JSON.stringify(unit.name)} is not made of a-z, 0-9, ".", "_" and "-"`;
  if (!Array.isArray(unit.argv) || unit.argv.length === 0) return `unit ${unit.name} has no command`;
  const texts = [...(unit.launcher ?? []), ...unit.argv, unit.cwd, ...Object.entries(unit.env).flat()];
  if (texts.some((text) => typeof text !== "string" || text.includes("\0")))
    return `unit ${unit.name} has a NUL or a value that is no text`;
  if (Object.keys(unit.env).some((key) => key === "" || key.includes("=")))
    return `unit ${unit.name} has a variable whose name is empty or holds "="`;
  if (!unit.cwd.startsWith("/")) return `unit ${unit.name}: cwd must be absolute, not ${unit.cwd}`;
  if (!Number.isSafeInteger(unit.fence)) return `unit ${unit.name}: the fence must be an integer`;
  return null;
}

/** Whether a unit carries all of these labels. */
export function hasLabels(unit: Pick<Unit, "labels">, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([label, value]) => unit.labels[label] === value);
}

/** Whether this may be a unit's name: it becomes part of file names. */
export function isUnitName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name);
}
