import type { Artifact, PluginContext } from "@helixstack/sdk";
import { layersSize, listImages, removeImage } from "./client.ts";
import type { Config } from "./config.ts";
import { TAG_PREFIX } from "./image.ts";

/** Removes the images of this installation but for those that are to be kept. What a container still uses stays until the next time. */
export async function pruneImages(
  ctx: PluginContext<Config>,
  { keep }: { readonly keep: readonly Artifact[] },
): Promise<{ freedBytes: number }> {
  const kept = new Set<string>(keep.filter((artifact) => artifact.kind === "oci-image").map((artifact) => artifact.digest));
  const all = await listImages(ctx, `helix.installation=${ctx.identity.installation}`);
  // A name that is not ours was given by a person, who wants the image kept.
  const old = all.filter(({ id, tags }) => !kept.has(id) && tags.every((tag) => tag.startsWith(TAG_PREFIX)));
  if (old.length === 0) return { freedBytes: 0 };
  const before = await layersSize(ctx);
  for (const { id, tags } of old) {
    // Never by force: that would take images from under stopped containers.
    for (const tag of tags) await removeImage(ctx, tag);
    await removeImage(ctx, id);
  }
  return { freedBytes: Math.max(0, before - (await layersSize(ctx))) };
}
