// `npm run bench`: every figure, one after the other, each in a process of its own, so that no figure measures another's memory. `--only a,b` names some,
// `--rounds N` says how often, `--strict` fails where a goal is missed. Tables go to stdout, and to results/ for docs/performance.md.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import pg from "pg";
import type { Figure } from "./frame/figure.ts";
import { describeMachine } from "./frame/machine.ts";
import { type Durability, writeResult } from "./frame/result.ts";
import { textTable } from "./frame/table.ts";

const { values } = parseArgs({
  options: { only: { type: "string" }, rounds: { type: "string" }, strict: { type: "boolean", default: false } },
});
const self = fileURLToPath(import.meta.url);
const all = readdirSync(new URL(".", import.meta.url)).flatMap((file) => /^(?!run\.)(.+)\.ts$/.exec(file)?.[1] ?? []);
const names = values.only?.split(",") ?? all;
const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no figure is called ${unknown.join(", ")}; there are ${all.join(", ")}\n`);
  process.exit(2);
}
process.exit(names.length === 1 ? await measure(names[0]!) : eachAlone());

function eachAlone(): number {
  const argv = process.argv.slice(2).filter((arg, i, given) => !arg.startsWith("--only") && given[i - 1] !== "--only");
  const exits = names.map(
    (name) => spawnSync(process.execPath, [...process.execArgv, self, ...argv, "--only", name], { stdio: "inherit" }).status,
  );
  return exits.every((exit) => exit === 0) ? 0 : 1;
}

async function measure(name: string): Promise<number> {
  const { figure } = (await import(`./${name}.ts`)) as { readonly figure: Figure };
  const machine = describeMachine();
  const notes: string[] = [];
  const note = (sentence: string): void => {
    notes.push(sentence);
    print(`  ${sentence}`);
  };
  let database: Durability | null = null;
  const rounds = Number(values.rounds ?? figure.rounds);
  print(`\n${name}: ${figure.title}`);
  const began = performance.now();
  const rows = await figure.run({ rounds, note, database: async (url) => void (database = await durability(url)) });
  const seconds = Math.round((performance.now() - began) / 1000);
  print(`${textTable(rows)}\n`);
  print(`${machine.cpu}, ${machine.cores} cores, node ${machine.node}, kernel ${machine.kernel}, docker ${machine.docker ?? "none"}`);
  print(`${rounds} rounds, ${seconds} s, load at start ${machine.loadAtStart.toFixed(2)}`);
  if (database !== null) print(`fsync ${(database as Durability).fsync}, synchronous_commit ${(database as Durability).synchronousCommit}`);
  await writeResult({ name, title: figure.title, goal: figure.goal, rounds, seconds, machine, database, rows, notes });
  return values.strict && rows.some(({ met }) => met === false) ? 1 : 0;
}

async function durability(connectionString: string): Promise<Durability> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const show = async (name: string): Promise<string> => Object.values((await client.query(`show ${name}`)).rows[0] as object)[0] as string;
  const found = { fsync: await show("fsync"), synchronousCommit: await show("synchronous_commit") };
  await client.end();
  return found;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
