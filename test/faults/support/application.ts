import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Rig } from "./rig.ts";

/** What the reference deployment is asked for. */
export interface Wanted {
  readonly project: string;
  /** Told by the applications when asked, and written down at each start. */
  readonly mark: string;
  readonly runtime?: "process" | "docker";
  /** Gives `web` a volume with one writer: its switch is a hand-over. */
  readonly hasVolume?: boolean;
  /** Gives `web` a task. */
  readonly hasTask?: boolean;
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

/** The starts and tasks that were written down, as `start web <mark>`, each with how often. */
export function effectsOf(rig: Rig, mark: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of readdirSync(rig.effects)) {
    for (const line of readFileSync(join(rig.effects, name), "utf8").split("\n")) {
      const [what, service, of] = line.split(" ");
      if (of === mark) counts.set(`${what} ${service}`, (counts.get(`${what} ${service}`) ?? 0) + 1);
    }
  }
  return counts;
}

function files({ mark, isSick, taskCode = "" }: Wanted): Record<string, string> {
  const note = (what: string) =>
    `if (process.env.EFFECTS) require("node:fs").appendFileSync(process.env.EFFECTS + "/" + process.env.HELIX_SERVICE + "-" + process.getuid(), "${what} " + process.env.HELIX_SERVICE + " ${mark} " + process.pid + "\\n");\n`;
  const status = isSick ? 503 : 200;
  return {
    "package.json": JSON.stringify({ name: "reference", version: "1.0.0", private: true }),
    "server.js": `${note("start")}require("node:http").createServer((request, response) => {
  response.statusCode = process.env.HELIX_SERVICE === "web" ? ${status} : 200;
  response.end("${mark}");
}).on("error", () => {
  // Somebody else took the port just now; the supervisor starts it again with another.
  ${note("lost")}
  process.exit(1);
}).listen(process.env.PORT);\n`,
    "task.js": `${note("task")}${taskCode}\n`,
  };
}

function manifestOf(rig: Rig, { project, runtime = "process", hasVolume, hasTask, isSick }: Wanted): string {
  const effects = runtime === "process" ? `    env: { EFFECTS: ${JSON.stringify(rig.effects)} }\n` : "";
  const service = `    build: node\n    runtime: ${runtime}\n    start: node server.js\n    drain: 1s\n    health: { timeout: ${isSick ? SICK_MS : HEALTH_MS}ms }\n${effects}`;
  const web = `${service}${hasVolume ? "    volumes: { data: /data }\n" : ""}${hasTask ? "    tasks: { migrate: node task.js }\n" : ""}`;
  return `project: ${project}\nrollback: { keep: 0 }\nservices:\n  web:\n${web}  api:\n${service}    needs: [web]\n`;
}
