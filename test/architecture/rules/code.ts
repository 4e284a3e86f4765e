import { PLUGIN_ERRORS } from "@helixstack/sdk";
import { ENGINE_ERRORS } from "../../../packages/core/src/domain/errors.ts";
import { type Rule, perFile, places } from "./rule.ts";

/** What makes an answer depend on more than its input. */
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bprocess\.\w+|\bperformance\.\w+|\bset(?:Timeout|Interval|Immediate)\b|\bfetch\(|\brandom(?:Bytes|UUID|Int)\b/g;

/** Ids need chance; the time in them is given. */
const IMPURE_BY_NEED: Readonly<Record<string, RegExp>> = { "packages/core/src/domain/ids.ts": /randomBytes$/ };

export const pureDomain: Rule = perFile("the domain is pure: no clock, no chance, no process", (file) => {
  if (!file.path.startsWith("packages/core/src/domain/")) return [];
  const excused = IMPURE_BY_NEED[file.path];
  return places(file, IMPURE).filter((place) => !excused?.test(place));
});

const SHELL = [
  /\bexecSync\b/g,
  /import\s*\{[^}]*\bexec\b[^}]*\}\s*from\s*"node:child_process"/g,
  /\bchild_process\.exec\b/g,
  /\bshell:\s*(?!false)\S+/g,
  /["'`](?:\/\w+)*\/?(?:ba|da|z)?sh["'`]\s*,\s*\[?\s*["'`]-\w*c["'`]/g,
];

export const noShell: Rule = perFile("no string reaches a shell", (file) => SHELL.flatMap((pattern) => places(file, pattern)));

const RAISED = /\bnew (EngineError|PluginError)\(\s*"([^"]+)"/g;

export const knownCodes: Rule = perFile("every error that is raised has a code of the table", (file) =>
  [...file.code.matchAll(RAISED)]
    .filter(([, type, code]) => !Object.hasOwn(PLUGIN_ERRORS, code!) && !(type === "EngineError" && Object.hasOwn(ENGINE_ERRORS, code!)))
    .map(([, type, code]) => `${type} has no code ${code}`),
);

export const engineErrorsInTheEngine: Rule = perFile("plugins raise PluginError, the core raises EngineError", (file) => {
  if (file.path.startsWith("plugins/")) return places(file, /\bnew EngineError\(/g);
  const raisesPluginErrors = file.path.startsWith("packages/core/src/host/inside/");
  return file.path.startsWith("packages/core/") && !raisesPluginErrors ? places(file, /\bnew PluginError\(/g) : [];
});

const AROUND = /\bfetch\(|\bprocess\.(?!env\b)\w+|\bnew (?:WebSocket|Worker)\b|\bglobalThis\b|\bimport\(/g;

/** Node's modules are kept out by {@link coreRooms}; what needs no import is kept out here. So every effect crosses a port, and every port can be intercepted. */
export const effectsThroughPorts: Rule = perFile("the engine has no way to the world but its ports", (file) =>
  file.path.startsWith("packages/core/src/engine/") ? places(file, AROUND) : [],
);

const PARTS = "packages/core/src/main/parts.ts";
const BOUNDARIES = "packages/core/src/engine/boundaries.ts";

/** The composition root puts a fault point on each road of the boundary table. */
export const roadsHaveFaultPoints: Rule = {
  name: "every port of the boundary table is opened with a fault point",
  check(files) {
    const parts = files.find(({ path }) => path === PARTS);
    const table = files.find(({ path }) => path === BOUNDARIES);
    if (!parts || !table) return [];
    const roads = [...table.code.matchAll(/^  (\w+): \{$|^  (\w+): \{ \w+: "(?:read|effect)"/gm)].map((match) => match[1] ?? match[2]!);
    const bare = roads.filter((road) => !parts.code.includes(`taps.port("${road}"`));
    const calls = parts.code.includes("taps.dispatcher(") ? [] : [`${PARTS}: the dispatcher has no fault point`];
    return [...bare.map((road) => `${PARTS}: ${road} is opened without a fault point`), ...calls];
  },
};
