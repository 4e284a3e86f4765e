import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PluginManifest } from "@helixstack/sdk";
import type { checkManifest as check } from "./check-manifest.ts";
import type { DetectInput, DetectedBuild } from "./main/ask-builders.ts";
import { pluginFolders } from "./main/plugin-folders.ts";

// What a command asks before there is a control plane. The plugin host is loaded only where a builder has something to say.

/** Asks every build plugin about a folder; those that fit, the surest first. Needs no control plane and leaves nothing behind. */
export async function detectBuild(input: DetectInput): Promise<readonly DetectedBuild[]> {
  if (input.startOf !== undefined && !(await hasStart(input.startOf, input.home))) return [];
  const { askBuilders } = await import("./main/ask-builders.ts");
  return askBuilders(input);
}

/** Reads a manifest against the plugins of a home. Rejects as `readManifest` does. */
export async function checkManifest(input: Parameters<typeof check>[0]): Promise<void> {
  const { checkManifest: checkNow } = await import("./check-manifest.ts");
  return checkNow(input);
}

/** Whether what a builder makes has a start command; true where only the plugin itself can tell. */
async function hasStart(name: string, home: string): Promise<boolean> {
  for (const folder of pluginFolders(home)) {
    const text = await readFile(join(folder, name, "helix-plugin.json"), "utf8").catch(() => null);
    if (text !== null) return (JSON.parse(text) as PluginManifest).planes.build?.produces.includes("node-bundle") ?? false;
  }
  return true;
}
