import { describeToolchain } from "@helixstack/node-toolchain";
import type { BuildPlane } from "@helixstack/sdk";
import { buildBundle } from "./bundle.ts";
import { detectApplication } from "./detect.ts";
import { type NodeSpec, nodeSpec } from "./spec.ts";

export const build: BuildPlane<unknown, NodeSpec> = {
  produces: ["node-bundle"],
  spec: nodeSpec,
  toolchain: describeToolchain,
  detect: async (_ctx, { source }) => detectApplication(source),
  build: buildBundle,
};
