import { delimiter, dirname } from "node:path";
import { inheritedEnv } from "@helixstack/sdk/exec";

/** PATH with the Node that runs this first: builds use the Node that the engine runs on, whatever else is installed. */
export function searchPath(before: readonly string[] = [], inherited: readonly string[] = inheritedFolders()): string {
  return [...before, dirname(process.execPath), ...inherited].join(delimiter);
}

/** The folders of the engine's own PATH. */
export function inheritedFolders(): readonly string[] {
  return (inheritedEnv()["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(delimiter);
}
