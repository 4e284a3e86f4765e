import { PluginError, isPluginError, specDigest, type PluginContext, type RevisionSpec } from "@helixstack/sdk";
import { type OsUser, engineUser, giveTo, sharingUser } from "@helixstack/sdk/exec";
import { archive } from "./archive.ts";
import { ensureBaseImage } from "./base-image.ts";
import {
  ask,
  askUnless,
  engineOf,
  inspectContainer,
  removeContainer,
  ownContainers,
  type ContainerCreateOptions,
  type ContainerInfo,
  type ContainerInspectInfo,
} from "./client.ts";
import type { Config } from "./config.ts";
import { APP, bundleFolder, instanceOptions, type ContainerInput } from "./container-options.ts";
import { containerName } from "./names.ts";
import { type Network, ensureNetwork, freeAddress } from "./network.ts";
import { ensureSecrets, secretOptions } from "./secrets.ts";

/** What `apply` finds before it makes anything: looked up once, side by side. */
export interface Surroundings {
  readonly image: string;
  readonly network: Network;
  /** Every container of the installation, running or not. */
  readonly containers: readonly ContainerInfo[];
}

export async function lookAround(ctx: PluginContext<Config>, spec: RevisionSpec): Promise<Surroundings> {
  const [image, network, containers] = await Promise.all([imageOf(ctx, spec), ensureNetwork(ctx), ownContainers(ctx)]);
  return { image, network, containers };
}

/** Makes instance `index` run as `spec` says: creates, starts, thaws, or leaves it alone. Answers with the container's id. */
export async function ensureInstance(
  ctx: PluginContext<Config>,
  { spec, index, around }: { spec: RevisionSpec; index: number; around: Surroundings },
): Promise<string> {
  const name = containerName(ctx.identity, index);
  const isThere = around.containers.some(({ Names }) => Names.includes(`/${name}`));
  const found = isThere ? await inspectContainer(ctx, name) : null;
  // Also for a container that is there: a machine that was restarted has lost its memory.
  await ensureSecrets(ctx, { spec, name });
  if (found && isWhole(found, spec)) return resume(ctx, found);
  if (found) await removeContainer(ctx, found.Id);
  return createInstance(ctx, { spec, name, around });
}

/** What every container of this revision is made from. */
export async function containerInput(
  ctx: PluginContext<Config>,
  { spec, image, name, network }: { spec: RevisionSpec; image: string; name: string; network: Network },
): Promise<ContainerInput> {
  const secrets = await secretOptions(ctx, { spec, name });
  return { identity: ctx.identity, spec, config: ctx.config, image, network: network.name, user: userText(userOf(ctx, spec)), secrets };
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
  if (spec.artifact.kind === "oci-image") return container.id;
  const { uid, gid } = userOf(ctx, spec);
  const folder = bundleFolder(spec);
  try {
    for (const { handle } of spec.volumes) await giveTo({ uid, gid }, handle.id);
    if (folder === null) return container.id;
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
  { spec, name, around }: { spec: RevisionSpec; name: string; around: Surroundings },
): Promise<string> {
  let { network, containers } = around;
  for (let attempt = 1; ; attempt++) {
    const input = await containerInput(ctx, { spec, image: around.image, name, network });
    const address = freeAddress(ctx, { network, containers, name });
    const id = await createNamed(ctx, { options: instanceOptions(input, { name, address }), spec });
    try {
      return await start(ctx, id);
    } catch (error) {
      await removeContainer(ctx, id);
      // Another container took the address, or the network went between the look and the start.
      const raced = error instanceof Error && /address already in use|network .* not found/i.test(error.message);
      if (!raced || attempt === 5) throw error;
      [network, containers] = await Promise.all([ensureNetwork(ctx), ownContainers(ctx)]);
    }
  }
}

/** Creates it; where the name is taken by what is not ours, says so. What is ours is taken out of the way: it was made by a call that died. */
async function createNamed(ctx: PluginContext<Config>, input: { options: ContainerCreateOptions; spec: RevisionSpec }): Promise<string> {
  try {
    return await createFilled(ctx, input);
  } catch (error) {
    const found = isPluginError(error) && error.code === "CONFLICT" ? await inspectContainer(ctx, input.options.name!) : null;
    if (!found) throw error;
    requireOurs(ctx, found, input.options.name!);
    await removeContainer(ctx, found.Id);
    return createFilled(ctx, input);
  }
}

/** Whether the container was made from this spec and got as far as its first start: only then it is known to be filled. */
function isWhole(found: ContainerInspectInfo, spec: RevisionSpec): boolean {
  return found.Config.Labels["helix.spec"] === specDigest(spec) && found.State.Status !== "created" && !found.State.Dead;
}

async function resume(ctx: PluginContext<Config>, found: ContainerInspectInfo): Promise<string> {
  const container = engineOf(ctx).getContainer(found.Id);
  if (found.State.Paused) await ask(`thaw ${found.Name}`, () => container.unpause());
  else if (!found.State.Running) await start(ctx, found.Id);
  return found.Id;
}

async function start(ctx: PluginContext<Config>, id: string): Promise<string> {
  await ask(`start container ${id.slice(0, 12)}`, () => engineOf(ctx).getContainer(id).start());
  return id;
}

function requireOurs(ctx: PluginContext<Config>, found: ContainerInspectInfo, name: string): void {
  if (found.Config.Labels["helix.installation"] === ctx.identity.installation) return;
  throw new PluginError("FOREIGN_RESOURCE", `a container named ${name} exists and was not made by this installation`);
}

/**
 * The user that bundles run as: the engine's own, so that a volume's files belong to the same user on every runtime of this machine. Where several write a
 * volume at the same time, and the engine is root, the one that other runtimes take too.
 */
function userOf(ctx: PluginContext<Config>, spec: RevisionSpec): OsUser {
  const isShared = spec.volumes.some(({ writers }) => writers === "many");
  return isShared && engineUser().uid === 0 ? sharingUser(ctx.identity) : engineUser();
}

function userText({ uid, gid }: OsUser): string {
  return `${uid}:${gid}`;
}
