import { createHash } from "node:crypto";
import { access, mkdir, readFile, readdir, realpath, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PluginError, type PluginContext, type RevisionSpec } from "@helixstack/sdk";
import { makeOwnFolder } from "@helixstack/sdk/exec";
import { type Redactor, createRedactor } from "@helixstack/sdk/redact";
import type { Config } from "./config.ts";

const MEMORY = "/dev/shm";
/** Where a container finds its secrets, one file each. */
export const SECRETS = "/run/secrets";
const LAUNCHER = "/helix/with-secrets.sh";
const SCRIPT = fileURLToPath(new URL("../scripts/with-secrets.sh", import.meta.url));

/** What of the secrets goes into a container's configuration: mounts and names; values only where an image is to have them in its environment. */
export interface SecretOptions {
  readonly env: readonly string[];
  readonly mounts: readonly { readonly Type: "bind"; readonly Source: string; readonly Target: string; readonly ReadOnly: true }[];
}

/** The folder in memory of one container. It is there as long as the container, so that a restart needs no secret store. */
export async function secretsFolder(ctx: PluginContext<Config>, name: string): Promise<string> {
  return join(await memoryFolder(ctx), name);
}

/** Fetches and writes what is missing. Fails with `UNSUPPORTED` on a machine without a folder in memory. */
export async function ensureSecrets(ctx: PluginContext<Config>, { spec, name }: { spec: RevisionSpec; name: string }): Promise<void> {
  if (spec.secrets.length === 0 || (await areThere(ctx, { spec, name }))) return;
  await access(MEMORY).catch(() => {
    throw new PluginError("UNSUPPORTED", `secrets need ${MEMORY}, which this machine does not have`, {
      hint: `Mount a tmpfs at ${MEMORY}.`,
    });
  });
  const values = await Promise.all(spec.secrets.map(async ({ ref }) => [ref.name, await ctx.resolve(ref)] as const));
  const folder = await secretsFolder(ctx, name);
  const partial = `${folder}.partial`;
  // The folder around all of them is closed. Within the container, whoever the image runs as may read: they are its own.
  await makeOwnFolder(dirname(partial), { mode: 0o700 });
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o755 });
  for (const [file, value] of values) await writeFile(join(partial, file), value.reveal(), { mode: 0o444 });
  await rm(folder, { recursive: true, force: true });
  await rename(partial, folder);
}

/** Removes the secrets of a container that is gone; all those of the revision where no name is given. */
export async function removeSecrets(ctx: PluginContext<Config>, name?: string): Promise<void> {
  const memory = await memoryFolder(ctx);
  const names = await readdir(memory).catch(() => []);
  for (const found of names) {
    if (name === undefined ? found.includes(`-${ctx.identity.revision}-`) : found === name)
      await rm(join(memory, found), { recursive: true, force: true });
  }
  // Stays while another container uses it.
  await rmdir(memory).catch(() => undefined);
}

/** How a container gets its secrets. */
export async function secretOptions(
  ctx: PluginContext<Config>,
  { spec, name }: { spec: RevisionSpec; name: string },
): Promise<SecretOptions> {
  if (spec.secrets.length === 0) return { env: [], mounts: [] };
  const folder = await secretsFolder(ctx, name);
  const isImage = spec.artifact.kind === "oci-image";
  const shown = isImage ? variablesOf(spec) : [];
  const values = await Promise.all(shown.map(async (variable) => `${variable}=${await readFile(join(folder, variable), "utf8")}`));
  const mount = (Source: string, Target: string) => ({ Type: "bind", Source, Target, ReadOnly: true }) as const;
  return {
    env: [`SECRETS_DIR=${SECRETS}`, ...values],
    mounts: [mount(folder, SECRETS), ...(isImage || variablesOf(spec).length === 0 ? [] : [mount(SCRIPT, LAUNCHER)])],
  };
}

/** The command with what makes variables of files before it. Pure. */
export function withSecrets(spec: RevisionSpec, command: readonly string[]): string[] {
  const variables = spec.artifact.kind === "oci-image" ? [] : variablesOf(spec);
  return variables.length === 0 ? [...command] : ["/bin/sh", LAUNCHER, SECRETS, ...variables, "--", ...command];
}

/** Masks what containers of this revision print. */
export async function revisionRedactor(ctx: PluginContext<Config>): Promise<Redactor> {
  const redactor = createRedactor();
  const memory = await memoryFolder(ctx);
  const names = await readdir(memory).catch(() => []);
  for (const name of names.filter((one) => one.includes(`-${ctx.identity.revision}-`))) {
    for (const file of await readdir(join(memory, name)).catch(() => [])) redactor.add(await readFile(join(memory, name, file), "utf8"));
  }
  return redactor;
}

function variablesOf(spec: RevisionSpec): readonly string[] {
  return spec.secrets.filter(({ as }) => as === "env").map(({ ref }) => ref.name);
}

async function areThere(ctx: PluginContext<Config>, { spec, name }: { spec: RevisionSpec; name: string }): Promise<boolean> {
  const files = await readdir(await secretsFolder(ctx, name)).catch(() => []);
  return spec.secrets.every(({ ref }) => files.some((file) => file === ref.name));
}

async function memoryFolder(ctx: PluginContext<Config>): Promise<string> {
  const tag = createHash("sha256")
    .update(await realpath(ctx.home))
    .digest("hex")
    .slice(0, 12);
  return join(MEMORY, `helix-${tag}`);
}
