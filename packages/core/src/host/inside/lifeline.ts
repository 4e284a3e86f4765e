import { Socket } from "node:net";
import { endDescendants } from "../process-table.ts";

/**
 * A thread beside the plugin's. File descriptor 4 is a pipe on which nothing is ever said: when it closes, the engine is gone, and a plugin whose own
 * thread is blocked would not notice. It has half a second to end by itself.
 */
const PATIENCE_MS = 500;

new Socket({ fd: 4 }).resume().on("close", () => {
  setTimeout(() => {
    endDescendants(process.pid);
    process.kill(process.pid, "SIGKILL");
  }, PATIENCE_MS);
});
