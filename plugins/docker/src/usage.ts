import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ObservedInstance } from "@helixstack/sdk";

type Usage = Pick<ObservedInstance, "memoryBytes" | "cpuSeconds">;

const UNKNOWN: Usage = { memoryBytes: null, cpuSeconds: null };
const ROOT = "/sys/fs/cgroup";

/**
 * What a running container uses, from its control group: the engine's own figures come with its next sample, which is up to a second away.
 * Nulls where the engine runs on another machine.
 */
export async function usageOf({ id, pid }: { readonly id: string; readonly pid: number }): Promise<Usage> {
  const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  // Another machine's process number may be somebody else's here.
  const lines = groups.split("\n").filter((line) => line.includes(id));
  const paths = new Map(lines.flatMap(controllersOf));
  const [memory, cpu, unified] = [paths.get("memory"), paths.get("cpuacct"), paths.get("")];
  // A machine may have both hierarchies: the controllers are in one of them.
  if (memory === undefined || cpu === undefined) return unified === undefined ? UNKNOWN : unifiedUsage(join(ROOT, unified));
  const [memoryBytes, nanoseconds] = await Promise.all([
    figure(join(ROOT, "memory", memory, "memory.usage_in_bytes")),
    figure(join(ROOT, "cpuacct", cpu, "cpuacct.usage")),
  ]);
  return { memoryBytes, cpuSeconds: nanoseconds === null ? null : nanoseconds / 1e9 };
}

/** `4:cpu,cpuacct:/docker/<id>`; the unified hierarchy has no controller's name. */
function controllersOf(line: string): readonly (readonly [string, string])[] {
  const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
  return controllers.split(",").map((controller) => [controller, path] as const);
}

async function unifiedUsage(folder: string): Promise<Usage> {
  const [memoryBytes, cpu] = await Promise.all([
    figure(join(folder, "memory.current")),
    readFile(join(folder, "cpu.stat"), "utf8").catch(() => ""),
  ]);
  const microseconds = /^usage_usec (\d+)$/m.exec(cpu)?.[1];
  return { memoryBytes, cpuSeconds: microseconds === undefined ? null : Number(microseconds) / 1e6 };
}

async function figure(file: string): Promise<number | null> {
  const text = await readFile(file, "utf8").catch(() => null);
  return text === null ? null : Number(text);
}
