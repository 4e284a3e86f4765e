import { PluginError, specDigest, type PluginContext, type RevisionSpec } from "@helixstack/sdk";
import { archive } from "./archive.ts";
import { ensureBaseImage } from "./base-image.ts";
import {
  ask,
  askUnless,
  engineOf,
  inspectContainer,
  removeContainer,
  type ContainerCreateOptions,
  type ContainerInspectInfo,
} from "./client.ts";
import type { Config } from "./config.ts";
import { APP, bundleFolder, instanceOptions, type ContainerInput } from "./container-options.ts";
import { containerName } from "./names.ts";
import { type Network, ensureNetwork, freeAddress } from "./network.ts";
import { ensureSecrets, secretOptions } from "./secrets.ts";

/** Makes instance `index` run as `spec` says: looks, then creates, starts, thaws, or leaves it alone. */
export async function ensureInstance(
  ctx: PluginContext<Config>,
  { spec, image, index }: { spec: RevisionSpec; image: string; index: number },
): Promise<void> {
  const name = containerName(ctx.identity, index);
  const found = await inspectContainer(ctx, name);
  if (found) requireOurs(ctx, found, name);
  // Also for a container that is there: a machine that was restarted has lost its memory.
  await ensureSecrets(ctx, { spec, name });
  if (found && isWhole(found, spec)) return resume(ctx, found);
  if (found) await removeContainer(ctx, found.Id);
  await createInstance(ctx, { spec, image, name });
}

/** What every container of this revision is made from. */
export async function containerInput(
  ctx: PluginContext<Config>,
  { spec, image, name, network }: { spec: RevisionSpec; image: string; name: string; network: Network },
): Promise<ContainerInput> {
  const secrets = await secretOptions(ctx, { spec, name });
  return { identity: ctx.identity, spec, config: ctx.config, image, network: network.name, user: userOf(), secrets };
}

/** The image of a spec: its own, or the base image for bundles. */
export async function imageOf(ctx: PluginContext<Config>, spec: RevisionSpec): Promise<string> {
  if (spec.artifact.kind !== "oci-image") return ensureBaseImage(ctx);
  const reference = spec.artifact.uri.replace(/^docker-image:/, "");
  const found = await askUnless([404], `inspect image ${reference}`, () => engineOf(ctx).getImage(reference).inspect());
  if (found) return reference;
  throw new PluginError("NOT_FOUND", `the image ${reference} is not on this Docker Engine`, {
    hint: "Deploy the source again: it will be built again.",
  });
}

/** Creates a container and fills it; a container that could not be filled is removed, so that none is started half full. */
export async function createFilled(
  ctx: PluginContext<Config>,
  { options, spec }: { options: ContainerCreateOptions; spec: RevisionSpec },
): Promise<string> {
  const container = await ask(`create container ${options.name}`, () =>
    engineOf(ctx).createContainer({ ...options, abortSignal: ctx.signal }),
  );
  const folder = bundleFolder(spec);
  if (folder === null) return container.id;
  const [uid, gid] = userOf().split(":").map(Number) as [number, number];
  try {
    await ask("copy the bundle", () =>
      container.putArchive(
        archive(folder, (header) => ({ ...header, uid, gid })),
        { path: APP },
      ),
    );
  } catch (error) {
    await removeContainer(ctx, container.id);
    throw error;
  }
  return container.id;
}

async function createInstance(
  ctx: PluginContext<Config>,
  { spec, image, name }: { spec: RevisionSpec; image: string; name: string },
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const network = await ensureNetwork(ctx);
    const input = await containerInput(ctx, { spec, image, name, network });
    const address = await freeAddress(ctx, network);
    const id = await createFilled(ctx, { options: instanceOptions(input, { name, address }), spec });
    try {
      return await start(ctx, id);
    } catch (error) {
      await removeContainer(ctx, id);
      // Another container took the address, or the network went between the look and the start.
      const raced = error instanceof Error && /address already in use|network .* not found/i.test(error.message);
      if (!raced || attempt === 5) throw error;
    }
  }
}

/** Whether the container was made from this spec and got as far as its first start: only then it is known to be filled. */
function isWhole(found: ContainerInspectInfo, spec: RevisionSpec): boolean {
  return found.Config.Labels["helix.spec"] === specDigest(spec) && found.State.Status !== "created" && !found.State.Dead;
}

async function resume(ctx: PluginContext<Config>, found: ContainerInspectInfo): Promise<void> {
  const container = engineOf(ctx).getContainer(found.Id);
  if (found.State.Paused) return void (await ask(`thaw ${found.Name}`, () => container.unpause()));
  if (!found.State.Running) await start(ctx, found.Id);
}

async function start(ctx: PluginContext<Config>, id: string): Promise<void> {
  await ask(`start container ${id.slice(0, 12)}`, () => engineOf(ctx).getContainer(id).start());
}

function requireOurs(ctx: PluginContext<Config>, found: ContainerInspectInfo, name: string): void {
  if (found.Config.Labels["helix.installation"] === ctx.identity.installation) return;
  throw new PluginError("FOREIGN_RESOURCE", `a container named ${name} exists and was not made by this installation`);
}

/** The user that bundles run as: the engine's own, so that a volume's files belong to the same user on every runtime of this machine. */
function userOf(): string {
  return `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
}
