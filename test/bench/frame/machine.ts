import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";

/** Where and when a figure was measured. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  /** The engine's version; null where there is none. */
  readonly docker: string | null;
  /** Processes that wanted a core in the last minute, before the figure began. */
  readonly loadAtStart: number;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    date: new Date().toISOString(),
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
    docker: dockerVersion(),
    loadAtStart: loadavg()[0] ?? 0,
  };
}

function dockerVersion(): string | null {
  try {
    const argv = ["version", "--format", "{{.Server.Version}}"];
    return execFileSync("docker", argv, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 10_000 }).trim();
  } catch {
    return null;
  }
}
