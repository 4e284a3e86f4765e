import { writeFileSync } from "node:fs";

/**
 * Leaves memory out of core dumps of this process and all that it starts: they know secrets, and a dump is a file that nobody expects to hold some. An application that
 * wants its dumps whole sets its own filter.
 */
export function emptyCoreDumps(): void {
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {
    // A kernel without core dumps needs no filter.
  }
}
