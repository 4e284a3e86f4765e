import { delimiter, dirname } from "node:path";
import { inheritedEnv } from "@helixstack/sdk/exec";

/** PATH with the Node that runs this first: builds use the Node that the engine runs on, whatever else is installed. */
export function searchPath(before: readonly string[] = []): string {
  return [...before, dirname(process.execPath), inheritedEnv()["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"].join(delimiter);
}
