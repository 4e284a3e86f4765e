import { definePlugin } from "@helixstack/sdk";
import { build } from "./build.ts";
import { configSchema } from "./config.ts";

export default definePlugin({
  contract: 1,
  name: "dockerfile",
  version: "0.1.0",
  engine: ">=0.1",
  description: "Builds a Dockerfile into an image, in the Docker Engine's own image store.",
  config: configSchema,
  permissions: { net: ["unix:docker"], secrets: [], exec: ["docker"], fs: ["/dev/shm"] },
  planes: { build },
});
