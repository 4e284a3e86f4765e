import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { bootId, isAlive } from "@helixstack/supervisor";
import { endDescendants, endProcess } from "../host/index.ts";
import type { ProcessProbe } from "../ports/index.ts";

/** Looks at this machine's processes through `/proc`. */
export function processProbe(): ProcessProbe {
  const machine = machineId();
  const boot = bootId();
  return {
    machine: () => machine,
    boot: () => boot,
    isAlive,
    kill(process) {
      if (!isAlive(process)) return;
      endDescendants(process.pid);
      endProcess(process);
    },
  };
}

/** The machine's own id, where it has one; hashed, since it is nobody's business. Containers of one machine that share it have pid spaces of their own, so the name counts too. */
function machineId(): string {
  const id = ["/etc/machine-id", "/var/lib/dbus/machine-id"].map(read).find((text) => text !== "") ?? "";
  return createHash("sha256").update(`${id} ${hostname()} ${pidSpace()}`).digest("hex").slice(0, 32);
}

/** The name space in which pids count. */
function pidSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
