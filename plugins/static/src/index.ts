import { definePlugin } from "@helixstack/sdk";
import { build } from "./build.ts";
import { configSchema } from "./config.ts";

export default definePlugin({
  contract: 1,
  name: "static",
  version: "0.1.0",
  engine: ">=0.1",
  description: "Takes a folder of files, or what a site's build script makes, to be served as it is.",
  config: configSchema,
  permissions: { net: ["*:443"], secrets: [], exec: ["node", "npm", "pnpm", "yarn"], fs: [] },
  planes: { build },
});
