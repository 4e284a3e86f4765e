import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { EXPERIMENTS } from "./experiments/index.ts";
import type { Result } from "./support/result.ts";
import { removeRigs } from "./support/rig.ts";

// `npm run faults`: the full experiments, one after the other, or those that --only names. Figures go to stdout, and to results/ for the docs.
const { values } = parseArgs({
  options: {
    only: { type: "string" },
    seed: { type: "string" },
    most: { type: "string" },
    minutes: { type: "string" },
    verbose: { type: "boolean" },
  },
});
const only = values.only?.split(",");
const results = fileURLToPath(new URL("results", import.meta.url));
mkdirSync(results, { recursive: true });
let failed = 0;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void removeRigs().finally(() => process.exit(130)));

for (const { id, name, full } of EXPERIMENTS) {
  if (only && !only.some((one) => id === one || id.startsWith(`${one}.`))) continue;
  const began = performance.now();
  process.stdout.write(`${id} ${name}\n`);
  const result: Result = await full({
    seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
    minutes: Number(values.minutes ?? 60),
    most: Number(values.most ?? Number.POSITIVE_INFINITY),
    note: (line) => values.verbose && process.stdout.write(`  ${line}\n`),
  });
  failed += result.failures.length;
  const seconds = Math.round((performance.now() - began) / 1000);
  for (const [figure, value] of Object.entries({ ...result.figures, seconds })) process.stdout.write(`  ${figure}: ${value}\n`);
  for (const failure of result.failures) process.stdout.write(`  FAILED ${failure}\n`);
  writeFileSync(`${results}/${id}.json`, `${JSON.stringify({ id, name, ...result }, null, 2)}\n`);
}
process.exit(failed > 0 ? 1 : 0);
