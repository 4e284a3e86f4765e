import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PluginError } from "@helixstack/sdk";

type Strings = Readonly<Record<string, string>>;

/** What the builders read of a `package.json`. Fields of another type than npm expects count as absent. */
export interface PackageJson {
  readonly main: string | null;
  readonly scripts: Strings;
  readonly dependencies: Strings;
  readonly devDependencies: Strings;
  /** Of all kinds together, workspaces included. */
  readonly dependencyCount: number;
  readonly hasWorkspaces: boolean;
  /** `engines.node`. */
  readonly node: string | null;
  /** The `packageManager` field: `pnpm@10.1.0`. */
  readonly packageManager: string | null;
}

/** Reads a folder's `package.json`; null when there is none. Rejects with `SOURCE_UNFIT` when it is not JSON of an object. */
export async function readPackageJson(folder: string): Promise<PackageJson | null> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw new PluginError("SOURCE_UNFIT", `package.json cannot be read: ${error.code}`, { cause: error });
  });
  return text === null ? null : parsePackageJson(text);
}

/** True when there is something to install. */
export function hasDependencies(packageJson: PackageJson): boolean {
  return packageJson.dependencyCount > 0 || packageJson.hasWorkspaces;
}

function parsePackageJson(text: string): PackageJson {
  const json = parseObject(text);
  const lists = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"].map((name) => strings(json[name]));
  return {
    main: string(json["main"]),
    scripts: strings(json["scripts"]),
    dependencies: lists[0]!,
    devDependencies: lists[1]!,
    dependencyCount: lists.reduce((sum, list) => sum + Object.keys(list).length, 0),
    hasWorkspaces: json["workspaces"] !== undefined,
    node: string(object(json["engines"])["node"]),
    packageManager: string(json["packageManager"]),
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    // Some editors on Windows write a byte order mark, which JSON.parse refuses and npm takes.
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch (error) {
    throw unfit((error as Error).message);
  }
  throw unfit("it holds no object");
}

function unfit(why: string): PluginError {
  return new PluginError("SOURCE_UNFIT", `package.json is not valid: ${why}`, {
    hint: "Correct package.json; `npm pkg get name` checks it.",
  });
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function string(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function strings(value: unknown): Strings {
  const entries = Object.entries(object(value)).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return Object.fromEntries(entries);
}
