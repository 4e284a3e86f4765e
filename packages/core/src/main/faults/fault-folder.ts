import { appendFileSync, mkdirSync, readFileSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Crossing, FaultPoint } from "./intercept.ts";

/** A fault that waits in the folder, as `<name>.fault`. The process that comes to it takes it, so that it happens once. */
export interface Fault {
  readonly moment: Crossing["moment"];
  readonly boundary: string;
  /** Crossings that are let pass first, by each process for itself. */
  readonly skip?: number;
  /** `kill`: SIGKILL to this process. `stop`: SIGSTOP; it goes on from here when somebody continues it. */
  readonly act: "kill" | "stop";
  /** The process that it leaves alone. */
  readonly spares?: number;
  /** Milliseconds between coming there and acting. */
  readonly afterMs?: number;
}

export const JOURNAL = "journal.ndjson";

/** Does what the faults in a folder say, and writes down there each boundary that is crossed. */
export function faultFolder(folder: string): FaultPoint {
  mkdirSync(folder, { recursive: true });
  const known = new Map<string, { readonly fault: Fault; seen: number }>();
  const note = (entry: object) =>
    appendFileSync(join(folder, JOURNAL), `${JSON.stringify({ at: Date.now(), pid: process.pid, ...entry })}\n`);

  /** The faults that are there now; those that are gone were taken. */
  const look = () => {
    const names = readdirSync(folder).filter((name) => name.endsWith(".fault"));
    for (const name of known.keys()) if (!names.includes(name)) known.delete(name);
    for (const name of names) if (!known.has(name)) known.set(name, { fault: read(join(folder, name)), seen: 0 });
    return known;
  };
  return {
    async cross(crossing) {
      note(crossing);
      for (const [name, entry] of look()) {
        const { fault } = entry;
        if (fault.spares === process.pid) continue;
        if (fault.moment !== crossing.moment || fault.boundary !== crossing.boundary || entry.seen++ < (fault.skip ?? 0)) continue;
        if (!take(folder, name)) continue;
        if (fault.afterMs) await sleep(fault.afterMs);
        note({ ...crossing, act: fault.act });
        process.kill(process.pid, fault.act === "kill" ? "SIGKILL" : "SIGSTOP");
      }
    },
  };
}

function read(file: string): Fault {
  return JSON.parse(readFileSync(file, "utf8")) as Fault;
}

/** Only one process can rename it. */
function take(folder: string, name: string): boolean {
  try {
    renameSync(join(folder, name), join(folder, `${name}.taken`));
    return true;
  } catch {
    return false;
  }
}
