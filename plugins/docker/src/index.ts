import { definePlugin } from "@helixstack/sdk";
import { configSchema } from "./config.ts";
import { runtime } from "./runtime.ts";

export default definePlugin({
  contract: 1,
  name: "docker",
  version: "0.1.0",
  engine: ">=0.1",
  description: "Runs artifacts as containers of a Docker Engine on this machine.",
  config: configSchema,
  permissions: { net: ["unix:docker"], secrets: [], exec: ["chown", "ldd"], fs: ["volumes", "/dev/shm"] },
  planes: { runtime },
});
