import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Fault, JOURNAL } from "../../../packages/core/src/main/faults/fault-folder.ts";
import type { Crossing } from "../../../packages/core/src/main/faults/intercept.ts";

/** A line of the journal that processes under faults write. */
export interface Crossed extends Crossing {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly pid: number;
  /** Set where a fault was done. */
  readonly act?: Fault["act"];
}

/** Where faults wait for the processes of a rig. */
export interface FaultFolder {
  readonly folder: string;
  arm(fault: Fault): void;
  /** Faults that nobody came to yet. */
  waiting(): number;
  /** What was crossed since the last `clear`. */
  journal(): readonly Crossed[];
  /** Takes back the faults that wait. */
  disarm(): void;
  /** The same, and forgets the journal. */
  clear(): void;
}

export function openFaultFolder(folder: string): FaultFolder {
  mkdirSync(folder, { recursive: true });
  const journal = join(folder, JOURNAL);
  let armed = 0;
  const names = () => readdirSync(folder).filter((name) => name.includes(".fault"));
  const disarm = () => {
    for (const name of names()) rmSync(join(folder, name), { force: true });
  };
  return {
    folder,
    disarm,
    arm(fault) {
      // Under another name first: a process must not read half of it.
      const file = join(folder, `${Date.now()}-${++armed}`);
      writeFileSync(`${file}.half`, JSON.stringify(fault));
      renameSync(`${file}.half`, `${file}.fault`);
    },
    waiting: () => names().filter((name) => name.endsWith(".fault")).length,
    journal: () => (existsSync(journal) ? lines(readFileSync(journal, "utf8")) : []),
    clear() {
      disarm();
      rmSync(journal, { force: true });
    },
  };
}

function lines(text: string): readonly Crossed[] {
  return text
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as Crossed);
}
