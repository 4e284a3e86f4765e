import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether the plugin `haproxy` finds its program where it looks by itself. */
export function hasHaproxy(): boolean {
  return existsSync("/usr/sbin/haproxy");
}

/** Whether a Docker engine answers here. */
export function hasDocker(): boolean {
  return spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0;
}
