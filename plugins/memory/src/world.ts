import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Identity,
  type LogLine,
  type PluginContext,
  PluginError,
  type RevisionSpec,
  type RouteTable,
  type VolumeHandle,
} from "@helixstack/sdk";

/** All that there is, as one JSON file. */
export interface World {
  readonly revisions: Record<string, MemoryRevision>;
  readonly tables: Record<string, MemoryTable>;
  readonly volumes: Record<string, { readonly identity: Identity; readonly handle: VolumeHandle }>;
  /** The highest fence that was seen of each revision or unit; kept when the thing itself is gone. */
  readonly fences: Record<string, number>;
}

export interface MemoryRevision {
  readonly identity: Identity;
  readonly spec: RevisionSpec;
  readonly phase: "running" | "frozen" | "stopped";
  readonly lines: readonly LogLine[];
}

export interface MemoryTable {
  readonly identity: Identity;
  readonly table: RouteTable;
}

/** The world as it is: whole, before or after a change. */
export async function readWorld(home: string): Promise<World> {
  const text = await readFile(join(home, "world.json"), "utf8").catch(() => null);
  return text === null ? { revisions: {}, tables: {}, volumes: {}, fences: {} } : (JSON.parse(text) as World);
}

/**
 * Changes the world, one caller at a time, and refuses a caller who has been overtaken (`STALE_FENCE`). What `change` throws leaves the world as
 * it was. `id` names what the call is about.
 */
export async function changeWorld<T>(ctx: PluginContext, change: (world: World, id: string) => T): Promise<T> {
  const { home, identity, fence } = ctx;
  const lock = join(home, "world.lock");
  await mkdir(home, { recursive: true });
  await take(lock);
  try {
    const world = await readWorld(home);
    const id = identity.revision;
    const seen = world.fences[id] ?? 0;
    if (fence < seen) throw new PluginError("STALE_FENCE", `${id} was changed with fence ${seen} already, this call has ${fence}`);
    world.fences[id] = fence;
    const result = change(world, id);
    await writeFile(join(home, "world.next"), JSON.stringify(world, null, 2));
    await rename(join(home, "world.next"), join(home, "world.json"));
    return result;
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<void> {
  while (!(await create(lock))) {
    const holder = Number(await readFile(lock, "utf8").catch(() => ""));
    // A holder that was killed cannot remove its lock.
    if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
    else await sleep(2);
  }
}

async function create(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, "wx");
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
