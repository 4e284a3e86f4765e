import { readFile, readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Figure } from "./frame/figure.ts";
import { alone } from "./frame/measure.ts";
import { openBenchPlane } from "./support/plane.ts";

const SETTLE_MS = 45_000;
/** The control plane keeps between 75 and 100 MB after a deployment, whatever it was: few services would measure that. */
const SERVICES = 30;
const SERVER = `require("node:http").createServer((_, response) => response.end("ok")).listen(process.env.PORT);\n`;

/** Proportional set sizes: pages that processes share are divided among them, so that the sum is what the machine gives. */
export const figure: Figure = {
  title: "Memory of the plane",
  goal: "control plane idle at most 110 MB, the whole local plane at most 250 MB, each further service at most 1 MB of it",
  rounds: 1,
  async run({ note, database }) {
    const plane = await openBenchPlane();
    try {
      await database(await plane.databaseUrl());
      const snapshot = await plane.snapshot({ "server.js": SERVER, "package.json": "{}" });
      const deploy = async (services: readonly string[]) => {
        const all = Object.fromEntries(
          services.map((name) => [name, { source: ".", build: "node", runtime: "process", start: "node server.js" }]),
        );
        const text = JSON.stringify({ project: "memory", services: all });
        await plane.live(await plane.create({ kind: "deploy", snapshot, manifest: { file: "helix.yaml", text } }));
        await plane.settled("memory");
        await sleep(SETTLE_MS);
        return planeMemory(plane.home);
      };
      await sleep(SETTLE_MS);
      const idle = await planeMemory(plane.home);
      const one = await deploy(["s0"]);
      const many = await deploy(Array.from({ length: SERVICES + 1 }, (_, index) => `s${index}`));
      for (const [what, sizes] of [
        ["idle", idle],
        ["one service", one],
        [`${SERVICES + 1} services`, many],
      ] as const)
        note(`${what}: ${[...sizes].map(([role, mb]) => `${role} ${mb.toFixed(1)}`).join(", ")} MB`);
      note(`measured ${SETTLE_MS / 1000} s after the last deploy; the application's own processes are not the plane's`);
      const row = (name: string, value: number, most: number) => alone({ name, unit: "MB", n: 1, value }, { of: "helix", most });
      return [
        row("control plane, idle", idle.get("control") ?? Number.NaN, 110),
        row("the whole plane with its database, idle", total(idle), 250),
        row("the whole plane with one service", total(one), 250),
        row("each further service", (total(many) - total(one)) / SERVICES, 1),
      ];
    } finally {
      await plane.remove();
    }
  },
};

function total(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((sum, mb) => sum + mb, 0);
}

/** Megabytes by role, of every process of the home that is not an application. */
async function planeMemory(home: string): Promise<ReadonlyMap<string, number>> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map(async (pid) => ({ pid, ...(await look(pid)) })));
  const own = all.filter(({ command, environment }) => command.includes(home) || environment.includes(home));
  // The database's own children have titles of their own and nothing of ours in their environment.
  const servers = new Set(own.filter(({ command }) => roleOf(command) === "database").map(({ pid }) => pid));
  const sizes = new Map<string, number>();
  for (const { pid, command } of [...own, ...all.filter(({ parent }) => servers.has(parent))]) {
    const role = roleOf(command);
    if (role === null) continue;
    const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
    sizes.set(role, (sizes.get(role) ?? 0) + Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024);
  }
  return sizes;
}

async function look(pid: string): Promise<{ readonly command: string; readonly environment: string; readonly parent: string }> {
  const [command, environment, status] = await Promise.all(
    ["cmdline", "environ", "status"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
  );
  return { command: command!.replaceAll("\0", " "), environment: environment!, parent: /^PPid:\s+(\d+)/m.exec(status!)?.[1] ?? "" };
}

function roleOf(command: string): string | null {
  if (/postgres/.test(command)) return "database";
  if (/helix-control|main\.js control/.test(command)) return "control";
  if (/plugin-host/.test(command)) return "plugin hosts";
  if (/supervisor/.test(command)) return "supervisor";
  if (/router/.test(command)) return "router";
  return null;
}
