// Compiles every package, then makes the bundles that some packages ship (each has a `bundle` script).
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b"], root);
for (const folder of packagesWithBundle()) run("npm", ["run", "--silent", "bundle"], folder);

function packagesWithBundle() {
  return ["packages", "plugins"]
    .flatMap((kind) => readdirSync(join(root, kind)).map((name) => join(root, kind, name)))
    .filter((folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).scripts?.bundle);
}

function run(program, args, cwd) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    console.error(`${[program, ...args].join(" ")} failed${error ? `: ${error.message}` : ""}`);
    process.exit(status ?? 1);
  }
}
