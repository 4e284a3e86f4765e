import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { MARKER, type Marker, markerText } from "./group.ts";
import { closeAll, makeFifos, openForProcess } from "./output-pipe.ts";
import { secretEnvironment } from "./unit-secrets.ts";
import type { Unit } from "./unit.ts";

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LAUNCHER_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** A started process, or why it could not be. */
export type Launched = { readonly child: ChildProcess; readonly pid: number } | { readonly failure: string };

export interface LaunchInput {
  readonly marker: Marker;
  readonly port: number | null;
  /** The FIFOs for standard output and error. */
  readonly fifos: readonly [string, string];
}

/** Starts a unit's process in a session of its own, its output on the FIFOs. Never throws. */
export async function launch(unit: Unit, input: LaunchInput): Promise<Launched> {
  const files: number[] = [];
  try {
    for (const path of [unit.cwd, ...(unit.needs ?? [])]) statSync(path);
    for (const fifo of input.fifos) files.push(openForProcess(fifo));
    const [program, ...args] = [...(unit.launcher ?? []), ...unit.argv];
    const child = spawn(program!, args, {
      cwd: unit.cwd,
      env: { ...environment(unit, input), [MARKER]: markerText(input.marker) },
      detached: true,
      stdio: ["ignore", ...files],
      ...(unit.uid !== undefined && { uid: unit.uid }),
      ...(unit.gid !== undefined && { gid: unit.gid }),
    });
    if (child.pid !== undefined) return { child, pid: child.pid };
    const error = await new Promise<Error>((resolve) => child.once("error", resolve));
    return { failure: error.message };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    closeAll(files);
  }
}

/** Makes what {@link launch} writes to. */
export function prepareOutput(unit: Unit, fifos: readonly [string, string]): void {
  makeFifos(fifos, { ...(unit.uid !== undefined && { uid: unit.uid }), ...(unit.gid !== undefined && { gid: unit.gid }) });
}

function environment(unit: Unit, input: LaunchInput): Record<string, string> {
  const port = unit.portVariable === undefined || input.port === null ? {} : { [unit.portVariable]: String(input.port) };
  const all = { ...unit.env, ...secretEnvironment(unit), ...port };
  return unit.launcher === undefined ? all : withoutMeaning(all);
}

/** Variables under names that no program knows. Those that no shell could name are left out. */
function withoutMeaning(env: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(env).filter(([name]) => VARIABLE.test(name) && name !== MARKER);
  const hidden = entries.map(([name, value]) => [`HELIX_APP_${name}`, value] as const);
  return { PATH: LAUNCHER_PATH, HELIX_APP: entries.map(([name]) => name).join(" "), ...Object.fromEntries(hidden) };
}
