/**
 * Leads the process group of one command of `runCommand`: starts the program, reports its end over the channel, and ends the
 * whole group when the channel closes, which is how it learns that the caller died.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { GuardReport } from "./exec.ts";

const GRACE_MS = 1_500;
const [program, ...args] = process.argv.slice(2);

// The group's signals are for the program. The guard stays until the program's end is known.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {});

const child = spawn(program!, args, { stdio: ["ignore", "inherit", "inherit"] });
child.once("error", (error: NodeJS.ErrnoException) => report({ exitCode: 127, error: error.code ?? "UNKNOWN" }));
child.once("exit", (code, signal) => report({ exitCode: code ?? 128 + (signal === null ? 0 : constants.signals[signal]) }));
process.once("disconnect", endGroup);

function report(end: GuardReport): void {
  if (process.connected) process.send?.(end);
  else process.kill(-process.pid, "SIGKILL");
}

function endGroup(): void {
  process.kill(-process.pid, "SIGTERM");
  setTimeout(() => process.kill(-process.pid, "SIGKILL"), GRACE_MS);
}
