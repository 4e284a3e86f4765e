import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Row } from "./figure.ts";
import type { Machine } from "./machine.ts";

/** What makes a commit durable, as the database says: `on` each, or the figure is worth nothing. */
export interface Durability {
  readonly fsync: string;
  readonly synchronousCommit: string;
}

/** One run of one figure, as `results/<name>.json` has it. */
export interface Result {
  readonly name: string;
  readonly title: string;
  readonly goal: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly machine: Machine;
  readonly database: Durability | null;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

const folder = fileURLToPath(new URL("../results", import.meta.url));

export async function writeResult(result: Result): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** The last run of every figure, by name. */
export async function readResults(): Promise<readonly Result[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".json")).toSorted();
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8")) as Result));
}
