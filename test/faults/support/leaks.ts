import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../e2e/support/plane.ts";
import type { Rig } from "./rig.ts";

/** What a plane has in its hands at one moment. */
export interface Holdings {
  readonly memoryMb: number;
  readonly descriptors: number;
  /** Processes of the plane itself; plugin hosts come and go. */
  readonly processes: number;
  readonly applications: number;
  /** Below the folders where deployments leave things. */
  readonly files: number;
  /** Rows that stand for something under way or in the world. */
  readonly rows: number;
}

/** Where everything goes when all environments are destroyed with their data. */
const FOLDERS = ["artifacts", "volumes", "temp"];
const PASSING = /plugin-host/;
const APPLICATION = /server\.js|task\.js|--root /;
/** What the control plane may have more at the end, megabytes: heaps breathe. */
const GROWTH_MB = 80;
const MORE_DESCRIPTORS = 20;

const ROWS = `
  select 1 from helix.outbox union all select 1 from helix.run where state in ('held', 'ready', 'waiting')
  union all select 1 from helix.revision where state not in ('gone', 'forgotten')
  union all select 1 from helix.volume where state in ('wanted', 'there')
  union all select 1 from helix.route_table where "table" is not null
  union all select 1 from helix.worker where ended_at is null
  union all select 1 from helix.step where state = 'intended'
  union all select 1 from helix.environment where active_deployment is not null`;

export async function holdingsOf(rig: Rig): Promise<Holdings> {
  const control = (await eventually("a control plane", () => rig.pidOf("control"))) as number;
  const [status, descriptors, processes, files, rows] = await Promise.all([
    readFile(`/proc/${control}/status`, "utf8"),
    readdir(`/proc/${control}/fd`),
    rig.plane.processes(),
    Promise.all(FOLDERS.map((folder) => filesBelow(join(rig.plane.home, "data", folder)))),
    rig.sql(ROWS),
  ]);
  const applications = processes.filter(({ command }) => APPLICATION.test(command)).length;
  return {
    memoryMb: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024),
    descriptors: descriptors.length,
    applications,
    processes: processes.filter(({ command }) => !PASSING.test(command) && !APPLICATION.test(command) && !/postgres: /.test(command))
      .length,
    files: files.reduce((sum, count) => sum + count, 0),
    rows: rows.length,
  };
}

/** What there is more of than when nothing was deployed yet. */
export function leaks(before: Holdings, after: Holdings): readonly string[] {
  const allowed = { memoryMb: GROWTH_MB, descriptors: MORE_DESCRIPTORS, processes: 0, applications: 0, files: 0, rows: 0 };
  return (Object.keys(allowed) as (keyof Holdings)[])
    .filter((what) => after[what] > before[what] + allowed[what])
    .map((what) => `${what} grew from ${before[what]} to ${after[what]}`);
}

/** `memoryMb: 120 before, 140 after`, and so on. */
export function told(before: Holdings, after: Holdings): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (Object.keys(before) as (keyof Holdings)[]).map((what) => [what, `${before[what]} before, ${after[what]} after`]),
  );
}

async function filesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).length;
}
