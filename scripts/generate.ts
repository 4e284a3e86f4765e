// `npm run generate`: writes every generated file. `npm run generate -- --check` writes nothing and fails when one is stale.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { root } from "./generate/generator.ts";
import { generators } from "./generate/index.ts";

const isCheck = process.argv.includes("--check");
const stale: string[] = [];

for (const generate of generators) {
  for (const { path, content } of await generate()) {
    const current = await readFile(join(root, path)).catch(() => null);
    if (current?.equals(Buffer.from(content))) continue;
    stale.push(path);
    if (!isCheck) await write(join(root, path), content);
  }
}

if (stale.length > 0) console.error(stale.map((path) => `${isCheck ? "stale: " : "wrote "}${path}`).join("\n"));
if (stale.length > 0 && isCheck) {
  console.error("Run `npm run generate` and commit what it writes.");
  process.exit(1);
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
