import type { Problem } from "./problems.ts";
import { problem } from "./rules.ts";
import { didYouMean } from "../domain/suggest.ts";
import { type Entry, type Tree, entriesOf, nodeAt, textOf } from "./tree.ts";

/** What holds for the services of one environment together, once merged. Runs on malformed trees too. */
export function mergedProblems(
  services: Tree,
  { file, environment }: { readonly file: Tree; readonly environment: string },
): readonly Problem[] {
  const all = entriesOf(services);
  const names = all.map(([name]) => name);
  const removed = entriesOf(nodeAt(file, "services")).length > 0 && names.length === 0;
  if (removed)
    return [problem(`no service is left in ${environment}: its overrides remove all`, { path: "services", span: services.span })];
  return all.flatMap(([name, entry]) => [
    ...buildProblems(name, entry),
    ...needsProblems(name, { node: entry.node, names }),
    ...volumeProblems(name, entry.node),
    ...secretProblems(name, entry.node),
  ]);
}

function buildProblems(name: string, { key, node }: Entry): readonly Problem[] {
  if (node.kind !== "map" || node.entries.has("build")) return [];
  const message = `services.${name} has no build, and none was detected; write \`build: node\`, \`build: static\` or \`build: dockerfile\``;
  return [problem(message, { path: `services.${name}`, span: key })];
}

function needsProblems(name: string, { node, names }: { node: Tree; names: readonly string[] }): readonly Problem[] {
  return itemsOf(node, "needs").flatMap((item, i) => {
    const needed = textOf(item);
    const at = { path: `services.${name}.needs.${i}`, span: item.span };
    if (needed === undefined) return [];
    if (needed === name) return [problem(`services.${name} cannot need itself`, at)];
    if (names.includes(needed)) return [];
    const others = names.filter((other) => other !== name);
    return [problem(`services.${name} needs "${needed}", which is no service here${didYouMean(needed, others)}`, at)];
  });
}

function volumeProblems(name: string, node: Tree): readonly Problem[] {
  const several = Number(valueOf(nodeAt(node, "replicas")) ?? 1) > 1;
  const paths = new Map<string, string>();
  return entriesOf(nodeAt(node, "volumes")).flatMap(([volume, { key, node: use }]) => {
    const at = { path: `services.${name}.volumes.${volume}`, span: key };
    const path = textOf(use) ?? textOf(nodeAt(use, "path")) ?? "";
    const taken = paths.get(path);
    paths.set(path, volume);
    const found: Problem[] = [];
    if (path.split("/").includes("..")) found.push(problem(`${at.path} must not have .. in its path`, at));
    if (path !== "" && taken) found.push(problem(`${at.path} has the same path as the volume "${taken}"`, at));
    if (several && textOf(nodeAt(use, "writers")) !== "many") {
      found.push(
        problem(`${at.path} has one writer, but replicas are more; write \`{ path: ${path}, writers: many }\` or \`replicas: 1\``, at),
      );
    }
    return found;
  });
}

function secretProblems(name: string, node: Tree): readonly Problem[] {
  const variables = new Set(entriesOf(nodeAt(node, "env")).map(([variable]) => variable));
  const seen = new Set<string>();
  return itemsOf(node, "secrets").flatMap((item, i) => {
    const secret = textOf(item) ?? textOf(nodeAt(item, "name"));
    if (secret === undefined) return [];
    const use = textOf(nodeAt(item, "as")) ?? "env";
    const at = { path: `services.${name}.secrets.${i}`, span: item.span };
    const twice = seen.has(`${secret} ${use}`);
    seen.add(`${secret} ${use}`);
    if (twice) return [problem(`services.${name} lists the secret ${secret} twice`, at)];
    if (use !== "env" || !variables.has(secret)) return [];
    return [problem(`${secret} stands in env and in secrets of services.${name}; remove one`, at)];
  });
}

function itemsOf(node: Tree, key: string): readonly Tree[] {
  const list = nodeAt(node, key);
  return list?.kind === "list" ? list.items : [];
}

function valueOf(node: Tree | undefined): unknown {
  return node?.kind === "scalar" ? node.value : undefined;
}
