// `npm run check`: everything that can be said about the code without a server. Each part runs, and all failures are listed.
import { spawnSync } from "node:child_process";
import { root } from "./setup.mjs";

const parts = [
  ["build and types", "node", ["scripts/build.mjs"]],
  ["types of tests", "npx", ["tsc", "-p", "tsconfig.tests.json"]],
  ["lint", "npx", ["oxlint", "--type-aware", "--deny-warnings"]],
  ["format", "npx", ["oxfmt", "--check"]],
  ["dead code", "npx", ["knip"]],
  ["generated files", "npm", ["run", "--silent", "generate", "--", "--check"]],
  [
    "architecture and unit tests",
    "npx",
    ["vitest", "run", "--reporter=dot", "test/architecture", "packages/sdk", "packages/core/test/domain", "packages/core/test/config"],
  ],
];

const failed = parts.filter(([name, program, args]) => {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, npm_config_loglevel: "error" },
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${String(name)} (${seconds} s)`);
  if (status !== 0) console.log(`${stdout}\n${stderr}`);
  return status !== 0;
});
process.exit(failed.length > 0 ? 1 : 0);
