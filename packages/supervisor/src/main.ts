import { join } from "node:path";
import { parseArgs } from "node:util";
import { emptyCoreDumps } from "./core-dumps.ts";
import { Hub } from "./hub.ts";
import { takeLock } from "./lock.ts";
import { LogWriter } from "./log-writer.ts";
import { supervisorPaths } from "./paths.ts";
import { serve } from "./server.ts";

/** How the daemon ends when another one has the home. */
const EXIT_LOCKED = 3;

// The terminal of whoever started it is not its own.
process.on("SIGHUP", () => undefined);
process.on("SIGINT", () => undefined);
process.on("SIGPIPE", () => undefined);

emptyCoreDumps();

const { values } = parseArgs({ options: { home: { type: "string" }, resume: { type: "boolean", default: false } } });
if (values.home === undefined) throw new Error("usage: main.js --home FOLDER [--resume]");
const paths = supervisorPaths(values.home);

if (await takeLock(paths)) await run(values.resume);
else process.exit(EXIT_LOCKED);

async function run(resume: boolean): Promise<void> {
  const journal = new LogWriter(join(paths.root, "supervisor.jsonl"), { maxBytes: 1024 * 1024, files: 2 });
  const hub = new Hub(paths, journal);
  const exit = (code: number, why: string): void => {
    journal.append("o", [why]);
    hub.release();
    process.exit(code);
  };
  process.on("SIGTERM", () => exit(0, "ended by SIGTERM; the units go on"));
  // Whatever broke it may have broken its state: the units survive, and a successor reads the truth anew.
  process.on("uncaughtException", (error) => exit(1, `failed: ${error.stack ?? error.message}`));
  journal.append("o", [`started, pid ${process.pid}`]);
  hub.open({ resume });
  await serve({ hub, paths, exit: (why) => exit(0, `ended ${why}`) });
}
