import { startDataPlane } from "./data-plane.ts";
import { log } from "./log.ts";
import { readSettings } from "./settings.ts";

// One request must not end all others: whatever it broke is its own. It is logged, and a bug.
process.on("uncaughtException", (error) => {
  log("error", "unexpected error", { why: error.message, stack: error.stack });
});

try {
  const dataPlane = await startDataPlane(readSettings(process.env));
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    void dataPlane.stop().finally(() => process.exit(0));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
} catch (error) {
  log("error", "the router cannot start", { why: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
