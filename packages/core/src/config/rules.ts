import { type PlaneName, type PluginManifest, isPluginError, parseCommand } from "@helixstack/sdk";
import { isReservedVariable } from "./names.ts";
import type { Problem } from "./problems.ts";
import { didYouMean } from "../domain/suggest.ts";
import { type Span, type Tree, entriesOf, entryOf, nodeAt, textOf } from "./tree.ts";
import { SIZE_PATTERN, parseDuration, parseSize } from "./units.ts";

const PLANES: readonly PlaneName[] = ["build", "runtime", "delivery"];
const LONGEST_MS = 7 * 86_400_000;

/** One service as one place of the file says it: the base, or an environment's override. */
export interface ServicePart {
  /** Dotted path of the part. */
  readonly path: string;
  readonly node: Tree;
}

/** Every part of the file that speaks of a service. */
export function serviceParts(file: Tree): readonly ServicePart[] {
  const base = entriesOf(nodeAt(file, "services")).map(([name, { node }]) => ({ path: `services.${name}`, node }));
  const overrides = entriesOf(nodeAt(file, "environments")).flatMap(([environment, { node }]) =>
    entriesOf(nodeAt(node, "services")).map(([name, entry]) => ({
      path: `environments.${environment}.services.${name}`,
      node: entry.node,
    })),
  );
  return [...base, ...overrides];
}

/** What holds for each part by itself, beyond what the schema says. Runs on malformed trees too. */
export function partProblems(part: ServicePart, plugins: readonly PluginManifest[]): readonly Problem[] {
  return [
    ...PLANES.flatMap((plane) => pluginProblems(part, { plane, plugins })),
    ...reservedProblems(part),
    ...sourceProblems(part),
    ...labelProblems(part),
    ...["drain", "health.timeout"].flatMap((key) => durationProblems(part, key)),
    ...memoryProblems(part),
    ...commandProblems(part),
  ];
}

/** What holds for the whole file. */
export function fileProblems(file: Tree): readonly Problem[] {
  const services = nodeAt(file, "services");
  const unknown = entriesOf(nodeAt(file, "environments")).flatMap(([environment, { node }]) =>
    entriesOf(nodeAt(node, "services")).flatMap(([name, { key }]) => {
      if (entryOf(services, name)) return [];
      const path = `environments.${environment}.services.${name}`;
      const known = entriesOf(services).map(([service]) => service);
      return [problem(`${path} overrides a service that is not in services${didYouMean(name, known)}`, { path, span: key })];
    }),
  );
  return [...unknown, ...durationProblems({ path: "", node: file }, "rollback.for")];
}

function pluginProblems(
  { path, node }: ServicePart,
  { plane, plugins }: { plane: PlaneName; plugins: readonly PluginManifest[] },
): readonly Problem[] {
  const named = nodeAt(node, plane);
  const name = textOf(named);
  if (!named || !name || plugins.some((plugin) => plugin.name === name && plugin.planes[plane])) return [];
  const fitting = plugins.filter((plugin) => plugin.planes[plane]).map((plugin) => plugin.name);
  const other = plugins.find((plugin) => plugin.name === name);
  const why = other
    ? `the plugin "${name}" fills ${Object.keys(other.planes).join(" and ")}, not ${plane}`
    : `no ${plane} plugin is named "${name}"${didYouMean(name, fitting)}`;
  const message = `${why} (installed: ${fitting.join(", ") || "none"})`;
  return [{ code: "PLUGIN_UNKNOWN", message, path: `${path}.${plane}`, span: named.span }];
}

function reservedProblems({ path, node }: ServicePart): readonly Problem[] {
  const why = (name: string) => `${name} is set by HelixStack itself; choose another name`;
  const variables = entriesOf(nodeAt(node, "env")).flatMap(([name, { key }]) =>
    isReservedVariable(name) ? [problem(why(name), { path: `${path}.env.${name}`, span: key })] : [],
  );
  const secrets = listOf(nodeAt(node, "secrets")).flatMap((item, i) => {
    const name = textOf(item) ?? textOf(nodeAt(item, "name"));
    if (name === undefined || !isReservedVariable(name)) return [];
    return [problem(why(name), { path: `${path}.secrets.${i}`, span: item.span })];
  });
  return [...variables, ...secrets];
}

function sourceProblems({ path, node }: ServicePart): readonly Problem[] {
  const named = nodeAt(node, "source");
  const source = textOf(named);
  if (!named || source === undefined) return [];
  const at = { path: `${path}.source`, span: named.span };
  if (source.includes("\\")) return [problem(`${at.path} is written with \\; write / between folders`, at)];
  if (/^(\/|~|[A-Za-z]:)/.test(source)) return [problem(`${at.path} must be relative to the folder of this file`, at)];
  if (source.split("/").includes("..")) return [problem(`${at.path} leaves the folder of this file; move helix.yaml up instead`, at)];
  return [];
}

function labelProblems({ path, node }: ServicePart): readonly Problem[] {
  return entriesOf(nodeAt(node, "labels")).flatMap(([name, { key }]) =>
    name.startsWith("helix.")
      ? [problem(`labels that begin with "helix." are HelixStack's own`, { path: `${path}.labels.${name}`, span: key })]
      : [],
  );
}

function durationProblems({ path, node }: ServicePart, key: string): readonly Problem[] {
  const named = nodeAt(node, ...key.split("."));
  const ms = parseDuration(textOf(named) ?? "");
  if (!named || ms === null) return [];
  const at = { path: path === "" ? key : `${path}.${key}`, span: named.span };
  if (ms === 0 && key === "health.timeout") return [problem(`${at.path} must be more than 0s`, at)];
  return ms > LONGEST_MS ? [problem(`${at.path} must be at most 7d`, at)] : [];
}

/** Bytes. */
const MOST_MEMORY = 64 * 2 ** 40;

function memoryProblems({ path, node }: ServicePart): readonly Problem[] {
  const named = nodeAt(node, "resources", "memory");
  const text = textOf(named) ?? "";
  if (!named || !new RegExp(SIZE_PATTERN).test(text)) return [];
  // A size that is too large to count in bytes is none.
  const bytes = parseSize(text) ?? Infinity;
  const at = { path: `${path}.resources.memory`, span: named.span };
  if (bytes > MOST_MEMORY) return [problem(`${at.path} must be at most 64Ti`, at)];
  if (bytes >= 2 ** 20) return [];
  return [problem(`${at.path} is less than 1Mi; a size without a unit is in bytes`, at)];
}

/** What only a shell could run is told where it stands, not by the plugin that would have to run it. */
function commandProblems({ path, node }: ServicePart): readonly Problem[] {
  const tasks = entriesOf(nodeAt(node, "tasks")).map(([name, entry]) => [`tasks.${name}`, entry.node] as const);
  return [["start", nodeAt(node, "start")] as const, ...tasks].flatMap(([key, named]) => {
    const text = textOf(named) ?? "";
    const why = text.trim() === "" ? null : refusalOf(text);
    if (!named || why === null) return [];
    const at = { path: `${path}.${key}`, span: named.span };
    return [problem(`${at.path}: ${why}; put it into a script file and write \`sh start.sh\``, at)];
  });
}

function refusalOf(command: string): string | null {
  try {
    parseCommand(command);
    return null;
  } catch (error) {
    if (isPluginError(error)) return error.message;
    throw error;
  }
}

function listOf(tree: Tree | undefined): readonly Tree[] {
  return tree?.kind === "list" ? tree.items : [];
}

/** A {@link Problem} of the manifest itself. */
export function problem(message: string, at: { readonly path: string; readonly span: Span }): Problem {
  return { code: "MANIFEST_INVALID", message, ...at };
}
