import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PluginContext, RevisionSpec } from "@helixstack/sdk";
import type { Config } from "./config.ts";
import { attempt } from "./failures.ts";
import { type Folders, homeTag } from "./names.ts";

const MEMORY = "/dev/shm";

/** The secrets of one instance, for the one call that starts it. */
export interface Secrets {
  /** By variable name. */
  readonly env: Readonly<Record<string, string>>;
  /** By file name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Fetches what the spec names. */
export async function resolveSecrets(ctx: PluginContext<Config>, spec: RevisionSpec): Promise<Secrets> {
  const found = await Promise.all(
    spec.secrets.map(async ({ ref, as }) => ({ as, name: ref.name, value: (await ctx.resolve(ref)).reveal() })),
  );
  const of = (kind: "env" | "file"): Record<string, string> =>
    Object.fromEntries(found.filter(({ as }) => as === kind).map(({ name, value }) => [name, value]));
  return { env: of("env"), files: of("file") };
}

/** Where the secret files of an instance are: in memory where the machine offers that, else beside its work folder. Null without any. */
export function secretsFolderOf(
  ctx: PluginContext<Config>,
  input: { readonly spec: RevisionSpec; readonly folders: Folders; readonly name: string },
): string | null {
  if (!input.spec.secrets.some(({ as }) => as === "file")) return null;
  if (!existsSync(MEMORY)) return join(input.folders.instance, "secrets");
  return join(memoryFolder(ctx.config), input.name);
}

/** The folder in memory that holds all secret files of this home. */
export function memoryFolder(config: Pick<Config, "home">): string {
  return join(MEMORY, `helix-${homeTag(realpathSync(config.home))}`);
}

/** Writes the files in one step, closed to everybody else. */
export async function writeSecrets(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await attempt("write secret files", async () => {
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    // Its owner may be a service's own user, who has to get there.
    await mkdir(dirname(partial), { recursive: true, mode: 0o711 });
    await mkdir(partial, { mode: 0o700 });
    for (const [name, value] of Object.entries(files)) await writeFile(join(partial, name), value, { mode: 0o400 });
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  });
}
