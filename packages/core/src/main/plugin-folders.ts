import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where plugins are looked for: those that ship with the engine, then the operator's own below the home. */
export function pluginFolders(home: string): readonly string[] {
  return [fileURLToPath(new URL("../../../../plugins", import.meta.url)), join(home, "plugins")];
}
