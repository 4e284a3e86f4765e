import { type BuildInput, type BuildResult, type PluginContext, PluginError } from "@helixstack/sdk";
import { buildWithSecrets } from "./buildkit.ts";
import { engineVersion, inspectImage, startBuild, tagImage } from "./client.ts";
import type { Config, DockerfileSpec } from "./config.ts";
import { packContext } from "./context.ts";
import { readDockerfile } from "./dockerfile.ts";
import { followBuild } from "./progress.ts";

/** What the names of our images begin with. */
export const TAG_PREFIX = "helix/";

/** Builds an `oci-image`. It stays in the Docker Engine, named after the service so that people know it. */
export async function buildOciImage(ctx: PluginContext<Config>, input: BuildInput<DockerfileSpec>): Promise<BuildResult> {
  const { source, spec, labels, platform } = input;
  const dockerfile = await readDockerfile(source, spec.path ?? "Dockerfile");
  const engine = await engineVersion(ctx);
  ctx.progress("sending the source to the Docker Engine");
  const options = {
    dockerfile: dockerfile.path,
    target: spec.target,
    args: spec.args ?? {},
    labels,
    platform: platform === engine.platform ? null : platform,
  };
  const id =
    input.secrets.length > 0
      ? await buildWithSecrets(ctx, { source, options, secrets: input.secrets })
      : await followBuild(ctx, await startBuild(ctx, { context: await packContext(source, dockerfile.path), options }));
  // Without a name it would be taken for a leftover by `docker image prune`.
  await tagImage(ctx, { id, repo: repositoryOf(ctx), tag: id.replace("sha256:", "").slice(0, 12) });
  const image = await inspectImage(ctx, id);
  if (image === null) throw new PluginError("INTERNAL", `the Docker Engine built ${id} and does not have it`);
  return {
    kind: "oci-image",
    metadata: { user: image.user, sizeBytes: image.sizeBytes, base: dockerfile.base },
    image: { uri: `docker-image:${image.id}`, digest: image.id },
  };
}

/** A name that an image may have, made of names that people chose. */
function repositoryOf({ identity }: PluginContext<Config>): string {
  const parts = [identity.names.project, identity.names.service].map((name) => name.toLowerCase().replace(/[^a-z0-9]+/g, "-"));
  return `${TAG_PREFIX}${parts.map((part) => part.replace(/^-|-$/g, "").slice(0, 60) || "app").join("-")}`;
}
