import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Detection, Identity } from "@helixstack/sdk";
import { homeLayout } from "../config/home.ts";
import { createDispatcher, loadPlugins } from "../host/index.ts";
import { localConfig } from "./local-facts.ts";
import { pluginFolders } from "./plugin-folders.ts";

/** What one builder makes of a folder. */
export interface DetectedBuild extends Detection {
  readonly plugin: string;
}

const DETECT_DEADLINE_MS = 20_000;

export interface DetectInput {
  readonly folder: string;
  readonly home: string;
  /** Ask only this one, and only if what it makes has a start command. */
  readonly startOf?: string;
}

/** Asks every build plugin about a folder; those that fit, the surest first. Needs no control plane and leaves nothing behind. */
export async function askBuilders({ folder, home, startOf }: DetectInput): Promise<readonly DetectedBuild[]> {
  const scratch = await mkdtemp(join(tmpdir(), "helix-detect-"));
  const layout = homeLayout(home);
  const registry = await loadPlugins({
    folders: pluginFolders(home),
    configOf: (manifest) => localConfig(manifest, { layout, configured: {} }),
  });
  const dispatcher = createDispatcher({ registry, homes: ({ manifest }) => join(scratch, manifest.name) });
  try {
    const builders = registry
      .list()
      .filter(({ manifest: { name, planes } }) => planes.build && (startOf === undefined || name === startOf));
    const answers = await Promise.all(
      builders.map(async ({ manifest: { name } }) => ({ plugin: name, ...(await dispatcher.call<Detection>(detectCall(name, folder))) })),
    );
    return answers.filter(({ fits }) => fits).sort((a, b) => b.confidence - a.confidence);
  } finally {
    await dispatcher.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

function detectCall(plugin: string, source: string) {
  return {
    plane: "build",
    plugin,
    verb: "detect",
    identity: NOBODY,
    operationId: "detect",
    fence: 0,
    input: { source },
    deadlineMs: DETECT_DEADLINE_MS,
  } as const;
}

/** Detection is about a folder, not about anything that is owned yet. */
const NOBODY: Identity = {
  installation: "none",
  organization: "none",
  project: "none",
  environment: "none",
  unit: "none",
  revision: "none",
  names: { project: "none", environment: "none", service: "none" },
};
