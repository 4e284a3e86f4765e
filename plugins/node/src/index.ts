import { definePlugin } from "@helixstack/sdk";
import { build } from "./build.ts";
import { configSchema } from "./config.ts";

export default definePlugin({
  contract: 1,
  name: "node",
  version: "0.1.0",
  engine: ">=0.1",
  description: "Builds a Node application: installs from the lockfile, runs the build script, keeps production dependencies.",
  config: configSchema,
  permissions: { net: ["*:443"], secrets: [], exec: ["node", "npm", "pnpm", "yarn"], fs: [] },
  planes: { build },
});
