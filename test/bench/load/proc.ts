import { readFileSync, readdirSync } from "node:fs";

/** Nanoseconds on a core of a process and all below it, from the scheduler's books. */
export function cpuNs(pid: number): number {
  return tree(pid).reduce((sum, one) => sum + ownCpuNs(one), 0);
}

/** Bytes of memory of a process and all below it; what is shared counts by its share. */
export function memoryBytes(pid: number): number {
  return tree(pid).reduce(
    (sum, one) => sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, "utf8"))?.[1]) * 1024,
    0,
  );
}

function tree(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(tree)];
}

function ownCpuNs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
    0,
  );
}
