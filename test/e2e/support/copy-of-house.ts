import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** One change of the built code: the text must be there, so that a guard that moved is noticed. */
export interface Patch {
  /** Below the repository. A name that ends in `*` means every file that begins so and has the text. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The built program in a folder of its own, with a guard taken out. Nothing of it can be switched in the program that ships. */
export async function copyOfHouse(patches: readonly Patch[]): Promise<{ readonly bin: string; readonly remove: () => Promise<void> }> {
  const copy = await mkdtemp(join(tmpdir(), "helix-house-"));
  for (const kind of ["packages", "plugins"])
    await cp(join(root, kind), join(copy, kind), {
      recursive: true,
      // Without the bundle, the plane runs the modules that are patched.
      filter: (path) => !/\/(src|test|node_modules|dist\/bundle)(\/|$)/.test(path.slice(root.length)),
    });
  for (const folder of ["guardrails", "schemas"])
    await cp(join(root, folder), join(copy, folder), { recursive: true }).catch(() => undefined);
  await cp(join(root, "package.json"), join(copy, "package.json"));
  await mkdir(join(copy, "node_modules/@helixstack"), { recursive: true });
  for (const name of await readdir(join(root, "node_modules")))
    if (name !== "@helixstack") await symlink(join(root, "node_modules", name), join(copy, "node_modules", name));
  for (const kind of ["packages", "plugins"]) {
    for (const name of await readdir(join(copy, kind))) {
      const { name: full } = JSON.parse(await readFile(join(copy, kind, name, "package.json"), "utf8")) as { name: string };
      await symlink(join(copy, kind, name), join(copy, "node_modules", full));
    }
  }
  for (const patch of patches) await apply(copy, patch);
  return { bin: join(copy, "packages/cli/bin/helix.js"), remove: () => rm(copy, { recursive: true, force: true }) };
}

async function apply(copy: string, { file, from, to }: Patch): Promise<void> {
  const folder = join(copy, file, "..");
  const start = file.split("/").pop()!.replace("*", "");
  const names = file.endsWith("*") ? (await readdir(folder)).filter((name) => name.startsWith(start)) : [start];
  let changed = 0;
  for (const name of names) {
    const path = join(folder, name);
    const text = await readFile(path, "utf8").catch(() => "");
    if (!text.includes(from)) continue;
    await writeFile(path, text.replaceAll(from, to));
    changed++;
  }
  if (changed === 0) throw new Error(`no ${file} has the text ${from}: the guard has moved, and this test with it`);
}
