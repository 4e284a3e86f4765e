import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { PluginError, type PluginContext, type RevisionSpec } from "@helixstack/sdk";
import { makeOwnFolder } from "@helixstack/sdk/exec";
import type { Config } from "./config.ts";
import { attempt } from "./failures.ts";
import { homeTag } from "./names.ts";

const MEMORY = "/dev/shm";

/** Where the secrets of an instance are, in memory: on a disk they would outlive everything. Null without any. Fails with `UNSUPPORTED` where there is no such folder. */
export function secretsFolderOf(
  ctx: PluginContext<Config>,
  { spec, name }: { readonly spec: RevisionSpec; readonly name: string },
): string | null {
  if (spec.secrets.length === 0) return null;
  if (existsSync(MEMORY)) return join(memoryFolder(ctx.config), name);
  throw new PluginError("UNSUPPORTED", `secrets need ${MEMORY}, which this machine does not have`, { hint: `Mount a tmpfs at ${MEMORY}.` });
}

/** The folder in memory that holds all secret files of this home. */
export function memoryFolder(config: Pick<Config, "home">): string {
  return join(MEMORY, `helix-${homeTag(realpathSync(config.home))}`);
}

/** Fetches what the spec names and writes it in one step, one file a secret, closed to everybody else. */
export async function writeSecrets(
  ctx: PluginContext<Config>,
  { spec, folder }: { readonly spec: RevisionSpec; readonly folder: string },
): Promise<void> {
  const values = await Promise.all(spec.secrets.map(async ({ ref }) => [ref.name, await ctx.resolve(ref)] as const));
  await attempt("write secret files", async () => {
    const partial = `${folder}.partial`;
    // The owner of the secrets may be a service's own user, who has to get there.
    await makeOwnFolder(dirname(partial), { mode: 0o711 });
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { mode: 0o700 });
    for (const [name, value] of values) await writeFile(join(partial, name), value.reveal(), { mode: 0o400 });
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  });
}
