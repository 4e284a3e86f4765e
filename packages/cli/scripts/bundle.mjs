// Bundles the command: a small CommonJS entry that parses arguments, and one module per command, loaded when it is asked for.
// The engine's server parts stay outside: only the commands that start a plane import them, at run time.
import { build } from "esbuild";
import { readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const out = join(folder, "dist/bin");
const common = {
  absWorkingDir: folder,
  bundle: true,
  platform: "node",
  target: "node20.19",
  conditions: ["source"],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  outdir: out,
};

/** Imports of commands stay imports: each is a module of its own. */
const modulesOutside = {
  name: "modules-outside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/(commands\/|failure)/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path: path.replace(/\.ts$/, ".mjs"), external: true } : null,
    );
  },
};

const made = await Promise.all([bundleEntry(), bundleCommands()]);
removeAllBut(made.flatMap(({ metafile }) => Object.keys(metafile.outputs)).map((path) => resolve(folder, path)));

function bundleEntry() {
  return build({
    ...common,
    format: "cjs",
    entryPoints: { helix: "src/main.ts" },
    outExtension: { ".js": ".cjs" },
    plugins: [modulesOutside],
  });
}

function bundleCommands() {
  const names = readdirSync(join(folder, "src/commands")).map((file) => file.replace(/\.ts$/, ""));
  const commands = names.map((name) => [`commands/${name}`, `src/commands/${name}.ts`]);
  return build({
    ...common,
    format: "esm",
    splitting: true,
    entryPoints: Object.fromEntries([...commands, ["failure", "src/failure.ts"]]),
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    external: ["@helixstack/core/local-plane", "@helixstack/core/detect"],
    // Dependencies in CommonJS ask for Node's own modules by require.
    banner: { js: 'import{createRequire as helixRequire}from"node:module";const require=helixRequire(import.meta.url);' },
  });
}

/** What an earlier build left; not before, so that a command that is running finds its modules. */
function removeAllBut(kept) {
  for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !kept.includes(path)) rmSync(path, { force: true });
  }
}
