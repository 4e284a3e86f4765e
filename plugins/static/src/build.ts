import { describeToolchain } from "@helixstack/node-toolchain";
import type { BuildPlane } from "@helixstack/sdk";
import { detectSite } from "./detect.ts";
import { buildSite } from "./site.ts";
import { type StaticSpec, staticSpec } from "./spec.ts";

export const build: BuildPlane<unknown, StaticSpec> = {
  produces: ["static-site"],
  spec: staticSpec,
  toolchain: describeToolchain,
  detect: async (_ctx, { source }) => detectSite(source),
  build: buildSite,
};
