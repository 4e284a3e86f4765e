import { type Result, readResults } from "../../test/bench/frame/result.ts";
import { markdownTable } from "../../test/bench/frame/table.ts";
import { type Generator, markdownFile } from "./generator.ts";

const INTRODUCTION = `
# Performance

What \`npm run bench\` measured last, one figure a section. Each figure puts HelixStack and a peer, or the same calls made raw, side by side in one run, in turn, and compares them round by
round: the ratio is the median of the rounds' ratios. A lone number depends on the machine; a ratio does much less so. What missed its goal is shown as it is.

\`npm run bench -- --only <name> [--rounds N]\` measures one again; \`npm run generate\` then writes this page from \`test/bench/results\`.
`;

/** `docs/performance.md`: the last run of every figure. */
export const performancePage: Generator = async () => {
  const results = await readResults();
  return [markdownFile("docs/performance.md", [INTRODUCTION.trim(), ...results.map(section)].join("\n\n"))];
};

function section({ name, title, goal, rounds, seconds, machine, database, rows, notes }: Result): string {
  const { date, cpu, cores, memoryGb, kernel, node, docker, loadAtStart } = machine;
  const where = `${cpu}, ${cores} cores, ${memoryGb} GB, kernel ${kernel}, node ${node}, docker ${docker ?? "none"}`;
  const how = `${rounds} rounds in ${seconds} s, load ${loadAtStart.toFixed(2)} before`;
  const durable = database === null ? "" : ` fsync ${database.fsync}, synchronous_commit ${database.synchronousCommit}.`;
  return [
    `## ${title}`,
    `Goal: ${goal}`,
    markdownTable(rows),
    ...(notes.length > 0 ? [notes.map((note) => `- ${note}`).join("\n")] : []),
    `\`npm run bench -- --only ${name}\`, ${date.slice(0, 10)}: ${how}. ${where}.${durable}`,
  ].join("\n\n");
}
