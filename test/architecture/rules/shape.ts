import type { SourceFile } from "../source-file.ts";
import { type Rule, perFile, places } from "./rule.ts";

const MAX_LINES = 300;
const MEDIAN = 60;
const PERCENTILE_95 = 200;

export const shortFiles: Rule = perFile(`no file has more than ${MAX_LINES} lines`, ({ lines }) =>
  lines > MAX_LINES ? [`${lines} lines`] : [],
);

export const smallFiles: Rule = {
  name: `half of the files have at most ${MEDIAN} lines, 95 in a hundred at most ${PERCENTILE_95}`,
  check(files) {
    const lines = files.map((file) => file.lines).toSorted((a, b) => a - b);
    const at = (share: number) => lines[Math.floor((lines.length - 1) * share)] ?? 0;
    return [
      ...(at(0.5) > MEDIAN ? [`the median is ${at(0.5)}`] : []),
      ...(at(0.95) > PERCENTILE_95 ? [`the 95th percentile is ${at(0.95)}`] : []),
    ];
  },
};

export const kebabCase: Rule = perFile("files have names in kebab-case", ({ path }) =>
  path
    .split("/")
    .slice(3)
    .every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.ts)?$/.test(part))
    ? []
    : ["is not in kebab-case"],
);

export const namedExports: Rule = perFile("only a plugin's index.ts has a default export", (file) =>
  /^plugins\/[^/]+\/src\/index\.ts$/.test(file.path) ? [] : places(file, /^export default\b/gm),
);

export const extensions: Rule = perFile("relative imports name the .ts file, Node's modules have their prefix", (file) =>
  file.imports
    .filter((one) => (one.file !== null && !one.file.endsWith(".ts")) || NODE_MODULES.has(one.from))
    .map(({ from }) => `imports ${from}`),
);

const NODE_MODULES = new Set([
  "assert",
  "child_process",
  "crypto",
  "events",
  "fs",
  "fs/promises",
  "http",
  "https",
  "net",
  "os",
  "path",
  "stream",
  "url",
  "util",
  "worker_threads",
  "zlib",
]);

export const noCycles: Rule = {
  name: "no file imports itself by way of others",
  check(files) {
    const next = new Map(files.map((file) => [file.path, valueImports(file)]));
    const done = new Set<string>();
    const found: string[] = [];
    const walk = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) return void found.push([...way.slice(way.indexOf(path)), path].join(" -> "));
      if (done.has(path)) return;
      for (const one of next.get(path) ?? []) walk(one, [...way, path]);
      done.add(path);
    };
    for (const { path } of files) walk(path, []);
    return found;
  },
};

function valueImports({ imports }: SourceFile): readonly string[] {
  return imports.filter((one) => !one.isType && one.file !== null).map((one) => one.file!);
}
