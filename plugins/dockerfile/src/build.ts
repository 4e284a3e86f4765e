import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { BuildPlane } from "@helixstack/sdk";
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

  build: buildOciImage,

  has: (ctx, { artifact }) => hasImage(ctx, artifact.digest),
  prune: pruneImages,
};
