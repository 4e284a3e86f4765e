import { join } from "node:path";
import type { Manager } from "./manager.ts";
import type { Tool } from "./tool.ts";

/** What decides how a command line looks. */
export interface CommandInput {
  readonly tool: Tool;
  readonly manager: Manager;
  /** Folder for caches. */
  readonly home: string;
  /** Whether the project is a pnpm workspace of its own. */
  readonly isWorkspace: boolean;
}

/** The arguments that install: exactly what the lockfile says where there is one. `production` leaves dev dependencies out. */
export function installArgs(input: CommandInput, { production }: { readonly production: boolean }): string[] {
  const { manager } = input;
  const isLocked = manager.lockfile !== null;
  switch (manager.kind) {
    case "npm":
      return [isLocked ? "ci" : "install", production ? "--omit=dev" : "--include=dev"];
    case "pnpm":
      return ["install", isLocked ? "--frozen-lockfile" : "--no-frozen-lockfile", `--prod=${production}`, ...pnpmSettings(input)];
    case "yarn-classic":
      return ["install", ...(isLocked ? ["--frozen-lockfile"] : []), `--production=${production}`, ...yarnClassicSettings(input)];
    case "yarn-berry":
      return ["install", isLocked ? "--immutable" : "--no-immutable"];
  }
}

/** The arguments that remove dev dependencies; null where the manager cannot. Scripts have run already and do not run again. */
export function pruneArgs(input: CommandInput): string[] | null {
  switch (input.manager.kind) {
    case "npm":
      return ["prune", "--omit=dev", "--ignore-scripts"];
    case "pnpm":
      return ["prune", "--prod", "--config.ignore-scripts=true", ...pnpmSettings(input)];
    case "yarn-classic":
      return ["install", "--production=true", "--ignore-scripts", "--prefer-offline", ...yarnClassicSettings(input)];
    case "yarn-berry":
      // Before version 4 this was a plugin that few projects have.
      return Number.parseInt(input.tool.version, 10) >= 4 ? ["workspaces", "focus", "--all", "--production"] : null;
  }
}

/** The arguments that run a script of package.json. */
export function scriptArgs(script: string): string[] {
  return ["run", script];
}

function pnpmSettings({ home, isWorkspace }: CommandInput): string[] {
  return [
    `--config.store-dir=${join(home, "pnpm-store")}`,
    `--config.cache-dir=${join(home, "pnpm-cache")}`,
    `--config.state-dir=${join(home, "pnpm-state")}`,
    // Files of a bundle may be changed or change their owner; the store's must not.
    "--config.package-import-method=clone-or-copy",
    // Else the programs in .bin name the folder in which they were built.
    "--config.extend-node-path=false",
    "--config.confirm-modules-purge=false",
    // A pnpm-workspace.yaml in a folder above the source is nothing of this project's.
    ...(isWorkspace ? [] : ["--ignore-workspace"]),
  ];
}

function yarnClassicSettings({ home }: CommandInput): string[] {
  const cache = join(home, "yarn-classic");
  // This yarn does not stand two of itself in one cache.
  return ["--non-interactive", "--no-progress", "--cache-folder", cache, "--mutex", `file:${cache}.lock`];
}
