import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { PluginContext } from "@helixstack/sdk";
import { findProgram } from "./find-program.ts";
import { fetchTool } from "./fetch-tool.ts";
import type { Manager, ManagerKind } from "./manager.ts";
import { searchPath } from "./search-path.ts";

/** A package manager that is ready to run. */
export interface Tool {
  readonly kind: ManagerKind;
  /** What stands before the arguments. */
  readonly argv: readonly string[];
  readonly version: string;
  /** Folders that go before PATH, so that a project's scripts find the same manager. */
  readonly path: readonly string[];
}

/** What is taken from the registry where neither PATH nor `packageManager` says. */
const DEFAULT_VERSIONS = { pnpm: "10.34.8", "yarn-classic": "1.22.22", "yarn-berry": "4.18.1" } as const;
/** The last pnpm that reads an older lockfile as it is. */
const PNPM_OF_FORMAT: Readonly<Record<string, string>> = { "5.3": "7.33.7", "5.4": "7.33.7", "6.0": "8.15.9", "6.1": "8.15.9" };

/** Finds the manager that a project asks for: on PATH where that is the right one, else from the package registry, kept under `ctx.home`. */
export async function prepareTool(ctx: PluginContext, { folder, manager }: { folder: string; manager: Manager }): Promise<Tool> {
  const { kind, wanted } = manager;
  if (kind === "npm") return { kind, argv: ["npm"], version: (await findProgram("npm", searchPath()))?.version ?? "unknown", path: [] };
  if (kind === "yarn-berry") {
    const own = await yarnOfProject(folder);
    if (own !== null) return { kind, argv: [process.execPath, own], version: wanted ?? "4", path: [] };
  }
  const onPath = await findProgram(kind === "pnpm" ? "pnpm" : "yarn", searchPath());
  if (onPath !== null && fits(onPath.version, manager)) return { kind, argv: [onPath.path], version: onPath.version, path: [] };
  const version = wanted ?? defaultVersion(manager);
  const fetched = await fetchTool(ctx, { name: packageOf(kind), version });
  return { kind, version, argv: [process.execPath, fetched.script], path: [fetched.bin] };
}

/** The tools that a build may use, in one line: part of what a build is looked up by. */
export async function describeToolchain(): Promise<string> {
  const [npm, pnpm, yarn] = await Promise.all(["npm", "pnpm", "yarn"].map((name) => findProgram(name, searchPath())));
  const parts = [
    `node ${process.versions.node}`,
    `npm ${npm?.version ?? "none"}`,
    `pnpm ${pnpm?.version ?? DEFAULT_VERSIONS.pnpm}`,
    `yarn ${yarn?.version ?? DEFAULT_VERSIONS["yarn-classic"]}`,
  ];
  return parts.join(", ");
}

function fits(version: string, { kind, wanted }: Manager): boolean {
  if (wanted !== null) return version === wanted;
  if (kind === "yarn-classic") return version.startsWith("1.");
  if (kind === "yarn-berry") return !version.startsWith("1.");
  return true;
}

function defaultVersion({ kind, lockfile }: Manager): string {
  if (kind === "pnpm") return PNPM_OF_FORMAT[lockfile?.format ?? ""] ?? DEFAULT_VERSIONS.pnpm;
  return DEFAULT_VERSIONS[kind as "yarn-classic" | "yarn-berry"];
}

function packageOf(kind: ManagerKind): string {
  if (kind === "yarn-berry") return "@yarnpkg/cli-dist";
  return kind === "pnpm" ? "pnpm" : "yarn";
}

/** The yarn that a project carries with it (`yarnPath`), if it is there. */
async function yarnOfProject(folder: string): Promise<string | null> {
  const settings = await readFile(join(folder, ".yarnrc.yml"), "utf8").catch(() => "");
  const named = /^yarnPath:\s*["']?([^"'\s]+)/m.exec(settings)?.[1];
  if (named === undefined) return null;
  const path = join(folder, named);
  return (await stat(path).catch(() => null))?.isFile() === true ? path : null;
}
