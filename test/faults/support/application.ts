import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Rig } from "./rig.ts";

/** What the reference deployment is asked for. */
export interface Wanted {
  readonly project: string;
  /** Told by the applications when asked, and written down at each start. */
  readonly mark: string;
  readonly runtime?: "process" | "docker";
  /** Default: what the plane has by itself. */
  readonly delivery?: "haproxy";
  /** Gives `web` a volume with one writer: its switch is a hand-over. */
  readonly hasVolume?: boolean;
  /** Gives `web` a task. */
  readonly hasTask?: boolean;
  /** `web` is a site of files, without a program of its own. */
  readonly isStatic?: boolean;
  /** `web` never becomes healthy. */
  readonly isSick?: boolean;
  /** Code that the task runs besides writing down that it ran. */
  readonly taskCode?: string;
  readonly timeoutMs?: number;
}

const HEALTH_MS = 20_000;
/** Nobody waits long for what will not get better. */
const SICK_MS = 2_000;

/** Two services; `api` needs `web`, so that an address is reserved as well. */
export async function deploy(rig: Rig, wanted: Wanted): Promise<string> {
  const snapshot = await rig.api.snapshot(files(wanted));
  const manifest = { text: manifestOf(rig, wanted), file: "helix.yaml" };
  const deadline = wanted.timeoutMs === undefined ? {} : { timeoutMs: wanted.timeoutMs };
  return rig.api.create({ kind: "deploy", manifest, snapshot, ...deadline });
}

export const SERVICES = ["web", "api"] as const;

/** What applications wrote down of themselves, as `start web <mark> <pid> <start> <port> <ms> <why>`. */
export function effectLines(rig: Rig, mark: string): readonly string[] {
  const lines = readdirSync(rig.effects).flatMap((name) => readFileSync(join(rig.effects, name), "utf8").split("\n"));
  return lines.filter((line) => line.split(" ")[2] === mark);
}

/** Starts that found their port taken by another program of the machine. */
export function portsLost(rig: Rig): number {
  const lines = readdirSync(rig.effects).flatMap((name) => readFileSync(join(rig.effects, name), "utf8").split("\n"));
  return lines.filter((line) => line.startsWith("lost ") && line.endsWith("EADDRINUSE")).length;
}

/** How often each of it happened, by `start web`. */
export function effectsOf(rig: Rig, mark: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of effectLines(rig, mark)) {
    const what = line.split(" ").slice(0, 2).join(" ");
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

/**
 * Each line says which start of which record of the supervisor wrote it, where it listens and when: what happened twice can be told apart afterwards.
 */
function files({ mark, isSick, taskCode = "" }: Wanted): Record<string, string> {
  const status = isSick ? 503 : 200;
  return {
    "package.json": JSON.stringify({ name: "reference", version: "1.0.0", private: true }),
    "note.js": `const { EFFECTS, HELIX_SERVICE, HELIX_UNIT, PORT } = process.env;
exports.note = (what, why = "") => {
  if (!EFFECTS) return;
  const line = [what, HELIX_SERVICE, ${JSON.stringify(mark)}, process.pid, HELIX_UNIT, PORT, Date.now(), why].join(" ");
  require("node:fs").appendFileSync(EFFECTS + "/" + HELIX_SERVICE + "-" + process.getuid(), line + "\\n");
};\n`,
    "server.js": `const { note } = require("./note.js");
note("start");
process.on("exit", (code) => note("exit", code));
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.once(signal, () => (note("asked", signal), process.exit(0)));
require("node:http").createServer((request, response) => {
  response.statusCode = process.env.HELIX_SERVICE === "web" ? ${status} : 200;
  response.end(${JSON.stringify(mark)});
}).on("error", (error) => {
  note("lost", error.code);
  process.exit(1);
}).listen(process.env.PORT);\n`,
    "site/index.html": mark,
    "task.js": `require("./note.js").note("task");\n${taskCode}\n`,
  };
}

function manifestOf(rig: Rig, { project, runtime = "process", delivery, hasVolume, hasTask, isStatic, isSick }: Wanted): string {
  const effects = runtime === "process" ? `    env: { EFFECTS: ${JSON.stringify(rig.effects)} }\n` : "";
  const service = `    build: node\n    runtime: ${runtime}\n${delivery ? `    delivery: ${delivery}\n` : ""}    start: node server.js\n    drain: 1s\n    health: { timeout: ${isSick ? SICK_MS : HEALTH_MS}ms }\n${effects}`;
  const web = `${service}${hasVolume ? "    volumes: { data: /data }\n" : ""}${hasTask ? "    tasks: { migrate: node task.js }\n" : ""}`;
  const site = `    build: static\n    static: { dir: site }\n    runtime: ${runtime}\n${effects}`;
  return `project: ${project}\nrollback: { keep: 0 }\nservices:\n  web:\n${isStatic ? site : web}  api:\n${service}    needs: [web]\n`;
}
