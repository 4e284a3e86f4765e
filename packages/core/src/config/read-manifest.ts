import type { PluginManifest } from "@helixstack/sdk";
import { EngineError } from "../domain/errors.ts";
import type { Manifest } from "../domain/manifest.ts";
import { checkerOf } from "./checker.ts";
import { mergeTrees, withoutNulls } from "./merge.ts";
import { mergedProblems } from "./merged-rules.ts";
import { checkEnvironmentName } from "./names.ts";
import { sectionSchemas } from "./plugin-sections.ts";
import { type Problem, type SourceText, manifestError } from "./problems.ts";
import { resolveManifest } from "./resolve.ts";
import { fileProblems, partProblems, serviceParts } from "./rules.ts";
import { fileSchema, serviceSchema } from "./schema.ts";
import { didYouMean } from "../domain/suggest.ts";
import { type Entry, type Tree, entriesOf, entryOf, fromValue, nodeAt, textOf } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

export interface ReadManifestInput {
  /** The file's text. */
  readonly text: string;
  /** How messages name the file. */
  readonly file: string;
  /** Whose overrides are merged. It need not be listed in the file. */
  readonly environment: string;
  /** The installed plugins: names and sections are checked against them. */
  readonly plugins: readonly PluginManifest[];
  /** What was detected of a service, in the manifest's own form. It stands below what the file says. */
  readonly defaults?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What one deployment asks for on top of the file. */
  readonly overrides?: { readonly runtime?: string };
  /** Whether the source has this folder (`/` separated, `.` for the whole). Absent: not checked. */
  readonly hasFolder?: (path: string) => boolean;
}

/**
 * The resolved manifest of one environment: overrides merged, defaults filled in, frozen.
 *
 * Rejects with `MANIFEST_INVALID`; its message shows the first problems with file, line, column and a code frame, and
 * `details.problems` has all of them. `PLUGIN_UNKNOWN` for an override that names no plugin.
 *
 * @example
 * readManifest({ text, file: "helix.yaml", environment: "production", plugins }).services["web"].drainMs // 30000
 */
export function readManifest(input: ReadManifestInput): Manifest {
  const { text, file, environment, plugins } = input;
  checkEnvironmentName(environment);
  checkOverrides(input);
  const source: SourceText = { file, text };
  const { tree, problems } = parseYaml(text);
  if (!tree || problems.length > 0) throw manifestError(problems, source);
  const services = mergedServices(tree, input);
  const found = [...fileFindings(tree, plugins), ...mergedProblems(services, { file: tree, environment })];
  if (found.length > 0) throw manifestError(found, source);
  // Merging can take a required key away, and what was detected has not been looked at yet.
  const late = entriesOf(services).flatMap(([name, entry]) => mergedFindings(name, { entry, plugins }));
  if (late.length > 0) throw manifestError(late, source);
  const manifest = resolveManifest(tree, { services, plugins });
  const absent = entriesOf(services).flatMap(([name, entry]) => folderFindings(manifest.services[name]!.source, { name, entry, input }));
  if (absent.length > 0) throw manifestError(absent, source);
  return deepFreeze(manifest);
}

/** The services of the environment that name no build, with their source folders: what has to be detected. Empty for a file that cannot be read. */
export function servicesToDetect(
  input: Pick<ReadManifestInput, "text" | "environment">,
): readonly { readonly service: string; readonly source: string }[] {
  const { tree } = parseYaml(input.text);
  if (!tree) return [];
  return entriesOf(mergedServices(tree, input))
    .filter(([, { node }]) => node.kind === "map" && !node.entries.has("build"))
    .map(([service, { node }]) => ({ service, source: textOf(nodeAt(node, "source")) ?? "." }));
}

const fileChecker = oncePerSet((plugins) => checkerOf(fileSchema(plugins)));
const serviceChecker = oncePerSet((plugins) => checkerOf(serviceSchema(plugins)));

/** What is made of a set of plugins, made once: a server has one, and reads many manifests with it. */
function oncePerSet<T>(make: (plugins: readonly PluginManifest[]) => T): (plugins: readonly PluginManifest[]) => T {
  const made = new WeakMap<readonly PluginManifest[], T>();
  return (plugins) => {
    const value = made.get(plugins) ?? make(plugins);
    made.set(plugins, value);
    return value;
  };
}

/** Everything that is wrong with the file as it stands, in every environment. */
function fileFindings(tree: Tree, plugins: readonly PluginManifest[]): readonly Problem[] {
  const check = fileChecker(plugins);
  const parts = serviceParts(tree).flatMap((part) => partProblems(part, plugins));
  return [...check(withoutOverrideNulls(tree)), ...parts, ...fileProblems(tree)];
}

function mergedFindings(name: string, { entry, plugins }: { entry: Entry; plugins: readonly PluginManifest[] }): readonly Problem[] {
  const check = serviceChecker(plugins);
  const node = withUsedSections(entry, Object.keys(sectionSchemas(plugins)));
  const path = `services.${name}`;
  const schema = check(node).map((problem) => ({ ...problem, path: `${path}.${problem.path}`, message: `${path}: ${problem.message}` }));
  return [...schema, ...partProblems({ path, node }, plugins)];
}

/** The services with what was detected below and the environment's and the deployment's wishes on top. */
export function mergedServices(tree: Tree, input: Pick<ReadManifestInput, "environment" | "defaults" | "overrides">): Tree {
  const base = nodeAt(tree, "services") ?? fromValue({}, { start: 0, end: 1 });
  const over = nodeAt(tree, "environments", input.environment, "services");
  const merged = over ? mergeTrees(base, over) : base;
  if (merged.kind !== "map") return merged;
  const entries = [...merged.entries].map(([name, { key, node }]) => {
    const below = mergeTrees(fromValue(input.defaults?.[name] ?? {}, key), node);
    const wish = input.overrides?.runtime === undefined ? {} : { runtime: input.overrides.runtime };
    return [
      name,
      { key, node: node.kind === "map" ? { ...(mergeTrees(below, fromValue(wish, key)) as typeof node), span: node.span } : node },
    ] as const;
  });
  return { ...merged, entries: new Map(entries) };
}

function folderFindings(
  source: string,
  { name, entry, input }: { name: string; entry: Entry; input: ReadManifestInput },
): readonly Problem[] {
  if (!input.hasFolder || input.hasFolder(source)) return [];
  const path = `services.${name}.source`;
  const span = nodeAt(entry.node, "source")?.span ?? entry.key;
  return [{ code: "MANIFEST_INVALID", message: `${path}: the source has no folder "${source}"`, path, span }];
}

/** A plugin that is used without a section gets an empty one, so that what it cannot do without is missed here and not by the plugin. */
function withUsedSections({ key, node }: Entry, sections: readonly string[]): Tree {
  if (node.kind !== "map") return node;
  const used = ["build", "runtime"].map((plane) => textOf(nodeAt(node, plane)) ?? "");
  const absent = used.filter((name) => sections.includes(name) && !node.entries.has(name));
  const empty: Entry = { key, node: fromValue({}, key) };
  return { ...node, entries: new Map([...node.entries, ...absent.map((name) => [name, empty] as const)]) };
}

/** In an override null removes, so that it is no value to check. */
function withoutOverrideNulls(tree: Tree): Tree {
  const environments = entryOf(tree, "environments");
  if (tree.kind !== "map" || !environments) return tree;
  const pruned = { key: environments.key, node: withoutNulls(environments.node) };
  return { ...tree, entries: new Map([...tree.entries, ["environments", pruned]]) };
}

function checkOverrides({ overrides, plugins }: ReadManifestInput): void {
  const wished = overrides?.runtime;
  const names = plugins.filter((plugin) => plugin.planes.runtime).map((plugin) => plugin.name);
  if (wished === undefined || names.includes(wished)) return;
  throw new EngineError(
    "PLUGIN_UNKNOWN",
    `no runtime plugin is named "${wished}"${didYouMean(wished, names)} (installed: ${names.join(", ")})`,
  );
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === "object") Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
