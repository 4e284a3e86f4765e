import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type BuildPlane, PluginError } from "@helixstack/sdk";
import { engineVersion, hasImage } from "./client.ts";
import { type Config, type DockerfileSpec, dockerfileSpec } from "./config.ts";
import { buildOciImage } from "./image.ts";
import { pruneImages } from "./prune.ts";

export const build: BuildPlane<Config, DockerfileSpec> = {
  produces: ["oci-image"],
  spec: dockerfileSpec,

  toolchain: async (ctx) => `docker engine ${(await engineVersion(ctx)).version}, classic builder`,

  async detect(_ctx, { source }) {
    const isThere = (await stat(join(source, "Dockerfile")).catch(() => null))?.isFile() ?? false;
    if (!isThere) return { fits: false, why: "there is no Dockerfile", confidence: 0 };
    // A builder that needs no container engine goes first where it is as sure: it works on every machine.
    return { fits: true, why: "there is a Dockerfile", confidence: 65, service: { runtime: "docker" } };
  },

  async build(ctx, input) {
    if (input.secrets.length > 0) {
      const names = input.secrets.map((secret) => secret.name).join(", ");
      throw new PluginError("UNSUPPORTED", `a Dockerfile build cannot be given secrets yet (${names})`, {
        hint: "Remove `as: build` from these secrets: the classic builder would leave them in the image's layers.",
      });
    }
    return buildOciImage(ctx, input);
  },

  has: (ctx, { artifact }) => hasImage(ctx, artifact.digest),
  prune: pruneImages,
};
