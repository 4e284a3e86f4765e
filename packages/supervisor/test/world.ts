import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { allPids, processIdentity } from "../src/proc.ts";
import { SupervisorClient, startSupervisor, type Unit, type UnitLogLine } from "../src/index.ts";

/** A home of its own for one test, gone afterwards with all its processes. */
export interface World {
  readonly home: string;
  start(options?: { readonly resume?: boolean }): Promise<SupervisorClient>;
  unit(name: string, script: string, extra?: Partial<Unit>): Unit;
  /** Kills the supervisor as nothing can prepare for. */
  killSupervisor(client: SupervisorClient): Promise<number>;
  close(): Promise<void>;
}

export function makeWorld(home = mkdtempSync(join(tmpdir(), "helix-supervisor-"))): World {
  return {
    home,
    start: (options = {}) => startSupervisor({ home, resume: options.resume ?? true }),
    unit: (name, script, extra = {}) => unit(home, name, { script, extra }),
    killSupervisor,
    close: async () => {
      const client = await SupervisorClient.connect(home).catch(() => null);
      await client?.shutdown({ stopUnits: "all", graceMs: 0 }).catch(() => undefined);
      rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

async function killSupervisor(client: SupervisorClient): Promise<number> {
  const { pid } = await client.ping();
  process.kill(pid, "SIGKILL");
  await client.closed;
  return pid;
}

function unit(home: string, name: string, { script, extra }: { script: string; extra: Partial<Unit> }): Unit {
  const file = join(home, `${name}.cjs`);
  writeFileSync(file, script);
  return {
    name,
    role: "test",
    argv: [process.execPath, file],
    cwd: home,
    env: { PATH: process.env["PATH"] ?? "" },
    restart: { policy: "always", minMs: 50, maxMs: 1000 },
    desired: "running",
    labels: {},
    fence: 1,
    specDigest: "one",
    ...extra,
  };
}

/** Writes a line at once and then stays. */
export const IDLE = `console.log("up " + process.pid); setInterval(() => {}, 1000);`;

export async function collect(lines: AsyncIterable<UnitLogLine>): Promise<UnitLogLine[]> {
  const all: UnitLogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

export async function until<T>(
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = 5000,
): Promise<T> {
  for (const end = Date.now() + withinMs; ; await sleep(5)) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`it did not happen within ${withinMs} ms: ${look.toString()}`);
  }
}

/** All live processes that run this script. */
export function copiesOf(script: string): number[] {
  return allPids().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(script) && processIdentity(pid) !== null;
    } catch {
      return false;
    }
  });
}
