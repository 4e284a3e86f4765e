import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactFacts } from "../../ports/stores.ts";

const SCRIPTS = ["preinstall", "install", "postinstall"];
/** A package may have its own copies of others; deeper nests are not real. */
const DEPTH = 8;

/** The installed packages of a bundle, by name and version, each once, and whether installing them runs a script. */
export async function readPackages(content: string): Promise<ArtifactFacts["packages"]> {
  const found = await packagesIn(join(content, "node_modules"), DEPTH);
  const distinct = new Map(found.map((one) => [`${one.name}@${one.version}`, one]));
  return [...distinct.values()].toSorted((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

async function packagesIn(modules: string, depth: number): Promise<ArtifactFacts["packages"]> {
  if (depth === 0) return [];
  const names = await namesIn(modules);
  const found = await Promise.all(names.map((name) => packageAt(join(modules, name), depth)));
  return found.flat();
}

/** Scopes are folders of packages; links lead to packages that are found where they are. */
async function namesIn(modules: string): Promise<readonly string[]> {
  const entries = await readdir(modules, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && (!entry.name.startsWith(".") || entry.name === ".pnpm"));
  const names = folders.map(async ({ name }) => {
    if (name.startsWith("@")) return (await namesIn(join(modules, name))).map((inner) => `${name}/${inner}`);
    if (name === ".pnpm") return (await namesIn(join(modules, name))).map((inner) => `.pnpm/${inner}`);
    return [name];
  });
  return (await Promise.all(names)).flat();
}

async function packageAt(folder: string, depth: number): Promise<ArtifactFacts["packages"]> {
  const [own, inner] = await Promise.all([readPackage(folder), packagesIn(join(folder, "node_modules"), depth - 1)]);
  return own ? [own, ...inner] : inner;
}

async function readPackage(folder: string): Promise<ArtifactFacts["packages"][number] | null> {
  try {
    const { name, version, scripts } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Described;
    if (typeof name !== "string" || typeof version !== "string") return null;
    return { name, version, installScripts: SCRIPTS.some((script) => scripts?.[script] !== undefined) };
  } catch {
    // A folder that is no package.
    return null;
  }
}

interface Described {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly scripts?: Readonly<Record<string, unknown>>;
}
