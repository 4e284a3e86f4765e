import { execFile } from "node:child_process";
import { access, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PluginError, type PluginContext, type RevisionSpec } from "@helixstack/sdk";
import type { Config } from "./config.ts";
import { attempt } from "./failures.ts";
import type { Folders } from "./names.ts";

const run = promisify(execFile);

/** Makes the folders of an instance, with a copy of the artifact of its own. What is there already is kept. */
export async function ensureFolders(
  ctx: PluginContext<Config>,
  { spec, folders }: { readonly spec: RevisionSpec; readonly folders: Folders },
): Promise<void> {
  await attempt("make the work folder", async () => {
    for (const folder of [dirname(folders.revision), folders.revision, folders.instance])
      await mkdir(folder, { recursive: true, mode: 0o711 });
    for (const folder of [folders.data, folders.temporary]) await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(ownerFile(folders.revision), JSON.stringify(ctx.identity));
    if (!(await exists(folders.app))) await copyArtifact(ctx, { spec, target: folders.app });
  });
}

/** The file that says whose folder it is, for a `list` that finds nothing else of the revision. */
export function ownerFile(revisionFolder: string): string {
  return join(revisionFolder, "owner.json");
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Copies next to the target and renames, so that a half copy is never taken for a whole one. */
async function copyArtifact(
  ctx: PluginContext<Config>,
  { spec, target }: { readonly spec: RevisionSpec; readonly target: string },
): Promise<void> {
  const source = fileURLToPath(spec.artifact.uri);
  if (!(await exists(source))) {
    throw new PluginError("NOT_FOUND", `the artifact ${spec.artifact.digest} is not at ${source}`, {
      hint: "Deploy again: it is built anew.",
    });
  }
  const folder = dirname(target);
  for (const name of await readdir(folder)) if (name.startsWith("partial-")) await rm(join(folder, name), { recursive: true, force: true });
  const partial = join(folder, `partial-${process.pid}-${Date.now()}`);
  const options = { signal: ctx.signal };
  ctx.progress("copying the artifact");
  await run("cp", ["-a", "--no-preserve=ownership", "--reflink=auto", "--", source, partial], options);
  // What a store keeps may be write-protected; the work folder is the application's own.
  if (((await stat(partial)).mode & 0o200) === 0) await run("chmod", ["-R", "u+w", "--", partial], options);
  await rename(partial, target);
}
