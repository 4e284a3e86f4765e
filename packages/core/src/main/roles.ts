import { runControl } from "./control.ts";
import { runWorker } from "./run-worker.ts";

/** What a process of the plane can be: `control` is API and worker in one process, `worker` is a worker alone. */
export const ROLES: Readonly<Record<string, (env: NodeJS.ProcessEnv) => Promise<void>>> = { control: runControl, worker: runWorker };
