import { describe, expect, test } from "vitest";
import { rules } from "./rules/index.ts";
import { type SourceFile, sourceFile } from "./source-file.ts";

/** What the rules say of these files; each sentence once. */
function said(files: Readonly<Record<string, string>>): readonly string[] {
  const tree = Object.entries(files).map(([path, text]) => sourceFile(path, text));
  return [...new Set(rules.flatMap((rule) => rule.check(tree)))];
}

// Put together, so that this file does not break the rules it shows.
const SHELL = ["s", "h"].join("");
const EXEC_SYNC = ["exec", "Sync"].join("");

describe("each rule can fail:", () => {
  test.each<[string, string, string, string]>([
    ["a database outside of the adapters", "packages/core/src/api/x.ts", 'import { Kysely } from "kysely";', "api may not import kysely"],
    ["a type of a database in the engine", "packages/core/src/engine/x.ts", 'import type { Pool } from "pg";', "engine may not import pg"],
    [
      "fastify outside of the API",
      "packages/core/src/engine/x.ts",
      'import fastify from "fastify";',
      "is not in packages/core/src/api/ and imports fastify",
    ],
    ["an effect round the ports", "packages/core/src/engine/x.ts", 'await fetch("http://x");', "line 1: fetch("],
    [
      "I/O in the domain",
      "packages/core/src/domain/x.ts",
      'import { readFile } from "node:fs/promises";',
      "domain may not import node:fs/promises",
    ],
    [
      "an adapter in the engine",
      "packages/core/src/engine/x.ts",
      'import { a } from "../adapters/a.ts";',
      "engine may not import ../adapters/a.ts",
    ],
    [
      "a type of the host in the engine",
      "packages/core/src/engine/x.ts",
      'import type { A } from "../host/a.ts";',
      "engine may not import ../host/a.ts",
    ],
    ["one room in another", "packages/core/src/api/x.ts", 'export { a } from "../config/a.ts";', "api may not import ../config/a.ts"],
    [
      "a dynamic import of a room",
      "packages/core/src/api/x.ts",
      'const a = await import("../host/a.ts");',
      "api may not import ../host/a.ts",
    ],
    ["a library in the SDK", "packages/sdk/src/x.ts", 'import Ajv from "ajv";', "may not import ajv"],
    ["the core in the SDK", "packages/sdk/src/x.ts", 'import "@helixstack/core";', "may not import @helixstack/core"],
    ["another package's file", "packages/cli/src/x.ts", 'import { a } from "../../core/src/a.ts";', "may not import ../../core/src/a.ts"],
    [
      "the inside of the core in the CLI",
      "packages/cli/src/x.ts",
      'import { a } from "@helixstack/core/host";',
      "may not import @helixstack/core/host",
    ],
    ["the core in a plugin", "plugins/docker/src/x.ts", 'import type { A } from "@helixstack/core";', "may not import @helixstack/core"],
    [
      "a plugin in a plugin",
      "plugins/docker/src/x.ts",
      'import { a } from "@helixstack/plugin-memory";',
      "may not import @helixstack/plugin-memory",
    ],
    [
      "a vendor's SDK beside client.ts",
      "plugins/docker/src/runtime.ts",
      'import Docker from "dockerode";',
      "is not client.ts and imports dockerode",
    ],
    ["the environment in a plugin", "plugins/docker/src/x.ts", "const a = process.env.A;", "line 1: process.env"],
    ["the console in a plugin", "plugins/docker/src/x.ts", '\nconsole.log("a");', "line 2: console.log"],
    ["a clock in the domain", "packages/core/src/domain/x.ts", "const now = Date.now();", "line 1: Date.now"],
    ["chance in the domain", "packages/core/src/domain/x.ts", "const a = randomUUID();", "line 1: randomUUID"],
    ["a clock where only chance is excused", "packages/core/src/domain/ids.ts", "const a = Math.random();", "line 1: Math.random"],
    ["a shell, by exec", "packages/cli/src/x.ts", 'import { exec, spawn } from "node:child_process";', "line 1: import { exec, spawn }"],
    ["a shell, by its own verb", "packages/cli/src/x.ts", `${EXEC_SYNC}("ls")`, `line 1: ${EXEC_SYNC}`],
    ["a shell, by option", "packages/cli/src/x.ts", `spawn("ls", { ${"shell"}: true })`, "shell: true"],
    ["a shell, by name", "plugins/node/src/x.ts", `spawn("/bin/${SHELL}", ["-c", "ls"])`, `"/bin/${SHELL}", ["-c"`],
    ["a code that is none", "packages/core/src/engine/x.ts", 'throw new EngineError("OOPS", "a");', "EngineError has no code OOPS"],
    [
      "a code of the engine in a plugin",
      "plugins/node/src/x.ts",
      'throw new PluginError("PLANE_DOWN", "a");',
      "PluginError has no code PLANE_DOWN",
    ],
    ["an error of the engine in a plugin", "plugins/node/src/x.ts", 'throw new EngineError("BUG", "a");', "line 1: new EngineError("],
    [
      "an error of plugins in the engine",
      "packages/core/src/engine/x.ts",
      'throw new PluginError("CONFLICT", "a");',
      "line 1: new PluginError(",
    ],
    ["a long file", "packages/cli/src/x.ts", "a\n".repeat(301), "301 lines"],
    ["a name in another case", "packages/cli/src/someFile.ts", "", "is not in kebab-case"],
    ["a default export", "packages/cli/src/x.ts", "export default 1;", "line 1: export default"],
    ["an import without extension", "packages/cli/src/x.ts", 'import { a } from "./a";', "imports ./a"],
    ["a module of Node without prefix", "packages/cli/src/x.ts", 'import { a } from "fs";', "imports fs"],
    ["a plugin without a definition", "plugins/odd/src/x.ts", "", "plugins/odd/src/index.ts is not there"],
  ])("%s", (_, path, text, sentence) => {
    expect(said({ [path]: text }).filter((one) => one.includes(sentence))).not.toEqual([]);
  });

  test("files that import each other in a circle", () => {
    const found = said({
      "packages/cli/src/a.ts": 'import { b } from "./b.ts";',
      "packages/cli/src/b.ts": 'import { c } from "./c.ts";',
      "packages/cli/src/c.ts": 'import { a } from "./a.ts";',
    });
    expect(found).toEqual(["packages/cli/src/a.ts -> packages/cli/src/b.ts -> packages/cli/src/c.ts -> packages/cli/src/a.ts"]);
  });

  test("files that are large on the whole", () => {
    const files = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`packages/cli/src/${i}.ts`, "a\n".repeat(61 + i * 20)]));
    expect(said(files)).toContain("the median is 141");
    expect(said(files)).toContain("the 95th percentile is 221");
  });
});

describe("the rules leave alone", () => {
  test.each([
    ["what a comment says", "packages/core/src/domain/x.ts", "/** Not Date.now(), nor Math.random(). */\nconst a = 1; // process.env"],
    ["an import in a comment", "packages/core/src/domain/x.ts", '/**\n * import { readFile } from "node:fs";\n */\nconst a = 1;'],
    ["a type of another room, in the outer rooms", "packages/core/src/api/x.ts", 'import { type A } from "../telemetry/a.ts";'],
    ["the composition", "packages/core/src/main/x.ts", 'import { a } from "../adapters/a.ts";\nimport { b } from "../api/b.ts";'],
    ["a vendor's SDK in client.ts", "plugins/docker/src/client.ts", 'import Docker from "dockerode";'],
    ["a regular expression's exec", "packages/cli/src/x.ts", "const found = /a/.exec(text);"],
    ["a name that holds a secret", "packages/cli/src/x.ts", 'spawn("ssh", ["-c", "aes"])'],
  ])("%s", (_, path, text) => {
    const files = {
      [path]: text,
      ...(path.startsWith("plugins/") && { "plugins/docker/src/index.ts": "export default definePlugin({})" }),
    };
    expect(said(files)).toEqual([]);
  });
});

describe("imports", () => {
  const imports = (text: string): SourceFile["imports"] => sourceFile("packages/cli/src/deep/x.ts", text).imports;

  test("are read in every form", () => {
    const text = [
      'import a, { type B } from "a";',
      "import {\n  type C,\n  type D,\n} from '@scope/c/sub';".replaceAll("'", '"'),
      'import type * as e from "node:e";',
      'export * from "../f.ts";',
      'import "g";',
      'const h = import("h");',
    ].join("\n");
    expect(imports(text)).toEqual([
      { from: "a", isType: false, file: null, package: "a" },
      { from: "@scope/c/sub", isType: true, file: null, package: "@scope/c" },
      { from: "node:e", isType: true, file: null, package: null },
      { from: "../f.ts", isType: false, file: "packages/cli/src/f.ts", package: null },
      { from: "g", isType: false, file: null, package: "g" },
      { from: "h", isType: false, file: null, package: "h" },
    ]);
  });
});

test("a port that is opened without a fault point is told", () => {
  const table = 'export const ROADS = {\n  ledger: {\n  },\n  queue: { wake: "effect" },\n};';
  const parts = 'const ledger = taps.port("ledger", open());\nconst dispatcher = taps.dispatcher(local);';
  const files = { "packages/core/src/engine/boundaries.ts": table, "packages/core/src/main/parts.ts": parts };
  expect(said(files)).toContain("packages/core/src/main/parts.ts: queue is opened without a fault point");
  const whole = { ...files, "packages/core/src/main/parts.ts": `${parts}\nconst queue = taps.port("queue", open());` };
  expect(said(whole).filter((what) => what.includes("fault point"))).toEqual([]);
});
