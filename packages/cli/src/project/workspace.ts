import { readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parse } from "yaml";
import { readText } from "../read-text.ts";

/** What is read of a package.json. */
export interface Package {
  readonly name: string | null;
  readonly start: string | null;
  /** Names of all that it depends on at run time or build time. */
  readonly needs: readonly string[];
}

/** A folder with packages that are developed together, by the name of each. */
export interface Workspace {
  readonly root: string;
  readonly members: ReadonlyMap<string, { readonly folder: string; readonly package: Package }>;
}

/** The workspace (npm, pnpm or yarn) that a folder is the root of; null when it is none. */
export function workspaceAt(root: string): Workspace | null {
  const patterns = patternsOf(root);
  if (patterns === null) return null;
  const folders = patterns.filter((pattern) => !pattern.startsWith("!")).flatMap((pattern) => expand(root, partsOf(pattern)));
  const members = folders.flatMap((folder) => {
    const found = readPackage(folder);
    return found?.name ? [[found.name, { folder, package: found }] as const] : [];
  });
  return { root, members: new Map(members) };
}

/** The workspace that a folder belongs to: the nearest one above it. */
export function workspaceAbove(folder: string): Workspace | null {
  for (let above = dirname(folder); ; above = dirname(above)) {
    const workspace = workspaceAt(above);
    if (workspace) return workspace;
    if (above === dirname(above)) return null;
  }
}

/** The packages of a workspace that one of them cannot do without. */
export function siblingsOf({ needs }: Package, { members }: Workspace): readonly string[] {
  return needs.filter((name) => members.has(name));
}

/** Null where there is none, or none that can be read: the builder says what is wrong with it. */
export function readPackage(folder: string): Package | null {
  const json = asMap(tryParse(readText(join(folder, "package.json")), JSON.parse));
  if (json === null) return null;
  const { name } = json;
  const start = asMap(json["scripts"])?.["start"];
  return {
    name: typeof name === "string" ? name : null,
    start: typeof start === "string" ? start : null,
    needs: ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) => Object.keys(asMap(json[kind]) ?? {})),
  };
}

/** The start command of a member as it is written for the workspace's root; null where that is not one file that `node` runs. */
export function startFromRoot(
  { root }: Workspace,
  { folder, start }: { readonly folder: string; readonly start: string | null },
): string | null {
  const file = /^node (?:\.\/)?([\w@./-]+)$/.exec(start ?? "")?.[1];
  return file === undefined ? null : `node ${join(relative(root, folder), file)}`;
}

function patternsOf(root: string): readonly string[] | null {
  const pnpm = asMap(tryParse(readText(join(root, "pnpm-workspace.yaml")), parse));
  const npm = asMap(tryParse(readText(join(root, "package.json")), JSON.parse))?.["workspaces"];
  const list: unknown = pnpm?.["packages"] ?? (Array.isArray(npm) ? npm : asMap(npm)?.["packages"]);
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : null;
}

function partsOf(pattern: string): readonly string[] {
  return pattern.split("/").filter((part) => part !== "" && part !== ".");
}

/** The folders of a pattern like `packages/*` or `apps/**`. */
function expand(folder: string, [part, ...rest]: readonly string[]): readonly string[] {
  if (part === undefined) return [folder];
  if (!part.includes("*")) return expand(join(folder, part), rest);
  const names = foldersIn(folder).filter((name) => nameTest(part).test(name));
  if (part !== "**") return names.flatMap((name) => expand(join(folder, name), rest));
  return [...expand(folder, rest), ...names.flatMap((name) => expand(join(folder, name), [part, ...rest]))];
}

function nameTest(part: string): RegExp {
  return new RegExp(`^${part.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*+/g, ".*")}$`);
}

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function tryParse(text: string | null, read: (text: string) => unknown): unknown {
  try {
    return text === null ? null : read(text);
  } catch {
    return null;
  }
}

function asMap(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}
