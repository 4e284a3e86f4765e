import type { PluginContext, RevisionSpec } from "@helixstack/sdk";
import { engineUser } from "@helixstack/sdk/exec";
import type { Config } from "./config.ts";
import { checkSpec } from "./environment.ts";
import { type Folders, foldersOf } from "./names.ts";
import { requireReadOnly } from "./read-only.ts";
import { secretsFolderOf, writeSecrets } from "./secrets.ts";
import { give, isShared, type User, userOf } from "./user.ts";
import { ensureFolders } from "./work-folder.ts";

/** What an instance or a task finds around it. */
export interface Surroundings {
  readonly folders: Folders;
  /** Whom it runs as; null for the engine's own user. */
  readonly user: User | null;
  /** Where its secret files are; null when it has none. */
  readonly secretsFolder: string | null;
}

/** Refuses what this runtime cannot do, before anything is made. */
export async function requireFit(ctx: PluginContext<Config>, spec: RevisionSpec): Promise<void> {
  checkSpec(spec);
  if (spec.filesystem === "read-only") await requireReadOnly(ctx);
}

/** Makes folders and volumes ready. `name` is the unit's, `suffix` what tells it from others of the revision. */
export async function prepareSurroundings(
  ctx: PluginContext<Config>,
  { spec, suffix, name }: { readonly spec: RevisionSpec; readonly suffix: string; readonly name: string },
): Promise<Surroundings> {
  const folders = foldersOf(ctx.home, ctx.identity.revision, suffix);
  const user = await userOf(ctx, spec);
  await ensureFolders(ctx, { spec, folders });
  // The folder around these stays the engine's, so that the application cannot put links where the engine writes.
  // Root can write what is shared anyway; another runtime's revision at work could not any more.
  const volumes = spec.volumes.filter((volume) => user !== null || !isShared(volume)).map(({ handle }) => handle.id);
  await give(user ?? engineUser(), [folders.app, folders.temporary, folders.data, ...volumes]);
  return { folders, user, secretsFolder: secretsFolderOf(ctx, { spec, name }) };
}

/** Brings the secrets to where the application finds them. */
export async function fillSecrets(ctx: PluginContext<Config>, spec: RevisionSpec, { secretsFolder, user }: Surroundings): Promise<void> {
  if (secretsFolder === null) return;
  await writeSecrets(ctx, { spec, folder: secretsFolder });
  await give(user ?? engineUser(), [secretsFolder]);
}
