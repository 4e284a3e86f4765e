import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { PluginError, type Secret } from "@helixstack/sdk";
import { walk } from "./walk.ts";

/** Larger files are data, not something that a build writes a setting into. */
const MAX_BYTES = 8 * 1024 * 1024;
/** A shorter value would be found in files that have nothing to do with it. */
const MIN_LENGTH = 6;

/** Rejects with `BUILD_FAILED` when a file outside `node_modules` holds a build secret's value: the result is kept and may be published. */
export async function refuseLeaks(folder: string, secrets: Readonly<Record<string, Secret>>): Promise<void> {
  const needles = Object.entries(secrets)
    .map(([name, secret]) => ({ name, value: secret.reveal().trim() }))
    .filter(({ value }) => value.length >= MIN_LENGTH);
  if (needles.length === 0) return;
  for await (const { path, entry } of walk(folder, { enter: (inner) => basename(inner) !== "node_modules" })) {
    if (!entry.isFile() || (await stat(join(folder, path))).size > MAX_BYTES) continue;
    const content = await readFile(join(folder, path));
    const leaked = needles.find(({ value }) => content.includes(value));
    if (leaked === undefined) continue;
    throw new PluginError("BUILD_FAILED", `the build wrote the value of the secret ${leaked.name} into ${path}`, {
      hint: "A secret that is used `as: build` must not be part of the result. Give it to the running application with `as: env`.",
    });
  }
}
