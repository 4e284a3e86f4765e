import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Rig, RigOptions } from "./rig.ts";
import { type SlowRoad, slowRoad } from "./slow-road.ts";

/** Something that makes work hard for a while, and no process ends of it by our hand. */
export interface Pressure {
  readonly name: string;
  readonly options: RigOptions;
  /** How long it lasts, milliseconds; null: until the deployment that was asked for under it has ended. */
  readonly forMs: number | null;
  /** Begins. Answers with what ends it. */
  press(rig: Rig): Promise<() => Promise<void>>;
}

const EMBEDDED = { queue: "postgres", mode: "embedded" } as const;
const SERVER = { queue: "postgres", mode: "server" } as const;
/** Room for a plane with its database, and little more. */
const DISK_MB = 400;
const WHILE_MS = 8_000;
const QUERY_MS = 500;
const HOUR_MS = 3_600_000;

export function diskFull(): Pressure {
  return {
    name: "the disk of the whole plane is full",
    options: { ...EMBEDDED, diskMb: DISK_MB },
    forMs: WHILE_MS,
    async press({ plane }) {
      const ballast = join(plane.home, "ballast");
      for (const size of [2 ** 20, 4096]) {
        const part = Buffer.alloc(size, 1);
        while (
          await appendFile(ballast, part).then(
            () => true,
            () => false,
          )
        );
      }
      return async () => rmSync(ballast);
    },
  };
}

export function descriptorsGone(): Pressure {
  return {
    name: "the control plane has no descriptor left",
    options: EMBEDDED,
    forMs: WHILE_MS,
    async press(rig) {
      const pid = (await rig.pidOf("control"))!;
      const before = softLimit(pid);
      limit(pid, String(readdirSync(`/proc/${pid}/fd`).length));
      return async () => limit(pid, before);
    },
  };
}

function softLimit(pid: number): string {
  return /Max open files\s+(\S+)/.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))![1]!;
}

function limit(pid: number, soft: string): void {
  const { status, stderr } = spawnSync("prlimit", ["--pid", String(pid), `--nofile=${soft}:`], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the limit of ${pid} cannot be set: ${stderr}`);
}

/** Every connection is somebody else's, those that the plane had too. */
export function connectionsGone(): Pressure {
  return {
    name: "PostgreSQL is at its connection limit",
    options: SERVER,
    forMs: WHILE_MS,
    async press(rig) {
      const hog = await makeHog(rig.databaseUrl!);
      await rig.sql("select 1");
      await hog.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'helix%'");
      return hog.release;
    },
  };
}

async function makeHog(url: string) {
  const held = new Set<pg.Client>();
  let isOver = false;
  const take = async (): Promise<boolean> => {
    const client = new pg.Client({ connectionString: url, application_name: "hog" });
    client.on("error", () => held.delete(client));
    try {
      await client.connect();
      held.add(client);
      return true;
    } catch {
      return false;
    }
  };
  const takeAll = async () => {
    while (!isOver) if (!(await take())) await sleep(5);
  };
  while (await take());
  const taking = takeAll();
  return {
    query: (text: string) => [...held][0]!.query(text),
    async release() {
      isOver = true;
      await taking;
      await Promise.all([...held].map((client) => client.end().catch(() => {})));
    },
  };
}

/** Of the plane's processes; the database's stays. */
export function clockMoved(byHours: 1 | -1): Pressure {
  return {
    name: `the clock is moved an hour ${byHours > 0 ? "ahead" : "back"}`,
    options: SERVER,
    forMs: null,
    async press({ faults }) {
      const file = join(faults.folder, "clock");
      writeFileSync(file, String(byHours * HOUR_MS));
      return async () => rmSync(file);
    },
  };
}

export function slowDatabase(): Pressure {
  let road: SlowRoad;
  return {
    name: `every query takes ${QUERY_MS} ms`,
    options: { ...SERVER, road: async (url) => (road = await slowRoad(url)).url },
    forMs: null,
    async press() {
      road.delay(QUERY_MS);
      return async () => road.delay(0);
    },
  };
}
