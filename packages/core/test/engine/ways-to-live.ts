import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A file of the source, its path below `packages/core/src`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const core = fileURLToPath(new URL("../../src", import.meta.url));

/** The source as it is. */
export function coreSource(): readonly SourceFile[] {
  return readdirSync(core, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => ({ path, text: readFileSync(join(core, path), "utf8") }));
}

/**
 * Every place in the source from which something can go live, and what it shows for it: one line each, sorted. A test knows the list by heart; a place that is
 * new, or one that shows nothing any more, makes another list.
 */
export function waysToLive(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => [...switches(file), ...acts(file), ...plans(file), ...restores(file)]).toSorted();
}

/** Whatever brings a table to a delivery provider, and the leave that it shows. */
function switches({ path, text }: SourceFile): readonly string[] {
  const calls = [...text.replace(/\s+/g, " ").matchAll(/(?<!function )switchTable\((.*?\})/g)];
  return calls.map(([, given]) => {
    const [, kind] = /kind: "(\w+)"/.exec(given!) ?? [];
    const [, leave] = /clearance: await (\w+)\(run\)/.exec(given!) ?? [];
    return `${path} switches to ${kind}${leave === undefined ? "" : `, by leave of ${leave}`}`;
  });
}

const ACTS: readonly { readonly does: string; readonly pattern: RegExp; readonly where?: RegExp }[] = [
  { does: "applies", pattern: /verb: "apply"/g, where: /^engine\// },
  { does: "writes a release", pattern: /write: "release\.create", release:/g, where: /^engine\// },
  { does: "asks for a deployment", pattern: /ledger\.createDeployment\(/g, where: /^(?!adapters|ports|telemetry)/ },
  { does: "makes a clearance", pattern: /\bas Clearance\b/g },
  { does: "has the policies decide", pattern: /policy\.decide\(/g, where: /^engine\// },
  { does: "asks the policies", pattern: /await askPolicies\(run, /g },
  { does: "answers once it is allowed", pattern: /if \(decision\.allow\) return/g, where: /^engine\// },
  { does: "puts a dump in the ledger's place", pattern: /await loadLedger\(/g },
];

/** What only a few places do, and whether they were cleared before, in the same function. */
function acts(file: SourceFile): readonly string[] {
  return ACTS.filter(({ where }) => where?.test(file.path) ?? true).flatMap(({ does, pattern }) =>
    [...file.text.matchAll(pattern)].map(({ index }) => {
      const { name, before } = functionAround(file.text, index);
      const leave = /await (clearNext|carryLive)\(run\)/.exec(before)?.[1];
      return `${file.path} ${name} ${does}${leave === undefined ? "" : `, by leave of ${leave}`}`;
    }),
  );
}

/** The steps of each kind of plan, in the order in which they are written. */
function plans({ path, text }: SourceFile): readonly string[] {
  if (path !== "domain/plan-steps.ts") return [];
  const found = new Map<string, string[]>();
  for (const { 1: kind, index } of text.matchAll(/(?<!function )\bstep\("([\w-]+)"/g)) {
    const { name } = functionAround(text, index);
    found.set(name, [...(found.get(name) ?? []), kind!]);
  }
  return [...found].map(([name, kinds]) => `${path} ${name} plans ${kinds.join(", ")}`);
}

/** What a restored ledger does with deployments and runs that were under way. */
function restores({ path, text }: SourceFile): readonly string[] {
  if (path !== "adapters/postgres/dump.ts") return [];
  const ends = [...text.matchAll(/update helix\.(deployment|run) set state = '(\w+)'/g)];
  return ends.map(([, what, state]) => `${path} leaves no ${what} under way: ${state}`);
}

/** The function, or constant, of the file's own level that a place is in, and its text up to there. */
function functionAround(text: string, index: number): { readonly name: string; readonly before: string } {
  const starts = [...text.slice(0, index).matchAll(/^(?:export )?(?:(?:async )?function\*? (\w+)|const (\w+))/gm)];
  const last = starts.at(-1);
  return { name: last?.[1] ?? last?.[2] ?? "", before: text.slice(last?.index ?? 0, index) };
}
