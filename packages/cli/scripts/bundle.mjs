// Bundles the command: a small entry that parses arguments, one script per command, loaded when it is asked for, and what many of them share and is large.
// Each is CommonJS in a function of its own, with its compiled code beside it (see bin/helix.js): a command is over sooner than Node's module loader
// would have loaded it. The engine's server parts stay outside: only the commands that start a plane import them, at run time.
import { build } from "esbuild";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";

const folder = fileURLToPath(new URL("..", import.meta.url));
const out = join(folder, "dist/bin");
const common = {
  absWorkingDir: folder,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "cjs",
  conditions: ["source"],
  // One byte a character: it is read several times as fast.
  charset: "ascii",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  outdir: out,
  outExtension: { ".js": ".cjs" },
  define: { "import.meta.url": "bundleUrl" },
  banner: {
    js: '(function (exports, require, module, __filename, importOutside) {const bundleUrl = require("node:url").pathToFileURL(__filename).href;',
  },
  footer: { js: "})" },
};

const made = await Promise.all([bundleEntry(), bundleCommands(), bundleYaml()]);
const scripts = made.flatMap(({ metafile }) => Object.keys(metafile.outputs)).map((path) => resolve(folder, path));
removeAllBut([...scripts, ...keepCompiled(scripts)]);

/** Imports of commands stay imports: each is a script of its own. */
function bundleEntry() {
  const commandsOutside = {
    name: "commands-outside",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\/(commands\/|failure)/ }, ({ path, kind }) =>
        kind === "dynamic-import" ? { path: path.replace(/\.ts$/, ".cjs"), external: true } : null,
      );
      // Commander would start programs with it, for subcommands that are programs; there are none.
      onResolve({ filter: /^node:child_process$/ }, () => ({ path: "nothing", namespace: "nothing" }));
      onLoad({ filter: /./, namespace: "nothing" }, () => ({ contents: "" }));
    },
  };
  const supported = { "dynamic-import": false };
  return build({ ...common, entryPoints: { helix: "src/main.ts" }, supported, plugins: [commandsOutside] });
}

function bundleCommands() {
  const outside = {
    name: "outside",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^yaml$/ }, () => ({ path: "../yaml.cjs", external: true }));
      // Compiled code has forgotten how to import.
      onLoad({ filter: /[\\/]src[\\/]import-module\.ts$/ }, () => ({ contents: "export const importModule = importOutside;" }));
    },
  };
  const names = readdirSync(join(folder, "src/commands")).map((file) => file.replace(/\.ts$/, ""));
  const commands = names.map((name) => [`commands/${name}`, `src/commands/${name}.ts`]);
  return build({ ...common, entryPoints: Object.fromEntries([...commands, ["failure", "src/failure.ts"]]), plugins: [outside] });
}

/** Three times as large as all of a command, and in most of them. */
function bundleYaml() {
  const contents = 'export { parse, parseDocument, stringify } from "yaml";';
  // Its modules, not what it has for Node: of those, what is not used can be left out.
  const { outdir: _, outExtension: __, ...alone } = common;
  const outfile = join(out, "yaml.cjs");
  return build({ ...alone, outfile, platform: "neutral", conditions: [], stdin: { contents, resolveDir: folder } });
}

/** Compiles all functions of each script now, for this Node on this kind of machine; another one compiles as ever. */
function keepCompiled(files) {
  setFlagsFromString("--no-lazy");
  const compiled = files.map((file) => [
    `${file}.${process.version}-${process.arch}`,
    new Script(readFileSync(file, "latin1"), { filename: file }),
  ]);
  setFlagsFromString("--lazy");
  for (const [file, script] of compiled) writeFileSync(file, script.createCachedData());
  return compiled.map(([file]) => file);
}

/** What an earlier build left; not before, so that a command that is running finds its modules. */
function removeAllBut(kept) {
  for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !kept.includes(path)) rmSync(path, { force: true });
  }
}
