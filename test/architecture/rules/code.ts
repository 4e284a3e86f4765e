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
