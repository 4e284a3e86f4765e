import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { MOMENTS, READING_VERBS, ROADS, WRITES } from "../../packages/core/src/engine/boundaries.ts";
import { PROMISES } from "../../test/faults/promises.ts";
import type { Result } from "../../test/faults/support/result.ts";
import { type Generator, markdownFile, root } from "./generator.ts";

type Recorded = Result & { readonly id: string };

const INTRODUCTION = `
# Faults

What happens when something dies, and what is promised then. The figures are those of the last recorded run of \`npm run faults\`, which does each fault to real
processes, a real PostgreSQL, a real Redis and, where it is there, Docker. Times depend on the machine; counts do not.
`;

/** \`docs/operations/faults.md\`: the promises, each with what was measured. */
export const faultsPage: Generator = async () => {
  const results = await recorded();
  const rows = PROMISES.map(({ id, fault, sees, guaranteed }) => {
    const own = results.filter((result) => result.id === id || result.id.startsWith(`${id}.`));
    const figures = own.map((result) => `${result.experiment}: ${figuresOf(result)}`).join("<br>");
    return `| ${fault} | ${sees} | ${guaranteed} | ${figures || "not recorded"} |`;
  });
  const table = ["| fault | what is seen | what is guaranteed | figures |", "|---|---|---|---|", ...rows].join("\n");
  return [markdownFile("docs/operations/faults.md", [INTRODUCTION.trim(), table, RESUME.trim(), boundaries()].join("\n\n"))];
};

const RESUME = `
## What a resume is made of

*Resume* is the time from the kill to the successor's claim. In an embedded plane the successor is the same process, started anew: the supervisor hears of the end at once and waits 10 ms (doubling, at most 500 ms, for one that
did not run for two seconds); the new process loads the compiled code that an earlier one kept in \`data/code\`, believes plugins that were right before (\`data/checked-plugins.json\`), connects, takes the runs of the dead, and only then opens
its API. Where a second worker runs, that one sees the death at its next look, 100 ms apart while anything is in other hands, and waits for the end of the dead one's plugin hosts. The rest is a dozen queries. The \`load\` of a run says how much of the time
was waiting for a processor.
`;

async function recorded(): Promise<readonly Recorded[]> {
  const folder = join(root, "test/faults/results");
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".json")).toSorted();
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8")) as Recorded));
}

function figuresOf({ figures }: Recorded): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")
    .replaceAll("|", "\\|");
}

function boundaries(): string {
  const methods = Object.entries(ROADS).flatMap(([port, roads]) =>
    Object.entries(roads).flatMap(([method, road]) => (road === "effect" && method !== "commit" ? [`\`${port}.${method}\``] : [])),
  );
  const writes = Object.entries(WRITES).map(([write, what]) => `| \`${write}\` | ${what} |`);
  return [
    "## Boundaries",
    `A process can be stopped at each of these, ${MOMENTS.join(", ")} it: every commit of the ledger, with what it makes durable,`,
    ["| write | what it makes durable |", "|---|---|", ...writes].join("\n"),
    `every call of a plugin but those that only read (${[...READING_VERBS].map((verb) => `\`${verb}\``).join(", ")}),`,
    `and ${methods.join(", ")}. The table is \`packages/core/src/engine/boundaries.ts\`; it is complete by its type.`,
  ].join("\n\n");
}
