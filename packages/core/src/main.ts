import { runControl } from "./main/control.ts";
import { runWorker } from "./main/run-worker.ts";

// The composition root's entry: the only script that puts the rooms together. `control` is API and worker in one process, `worker` is a worker alone.
const ROLES: Readonly<Record<string, (env: NodeJS.ProcessEnv) => Promise<void>>> = { control: runControl, worker: runWorker };

const role = process.argv[2] ?? "";
process.title = `helix-${role}`;
const run = ROLES[role];
if (!run) {
  process.stderr.write(`usage: main.js ${Object.keys(ROLES).join("|")}\n`);
  process.exit(2);
}
try {
  await run(process.env);
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
