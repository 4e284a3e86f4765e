import { definePlugin } from "@helixstack/sdk";
import { configSchema } from "./config.ts";
import { runtime } from "./runtime.ts";

export default definePlugin({
  contract: 1,
  name: "process",
  version: "0.1.0",
  engine: ">=0.1",
  description: "Runs artifacts as supervised processes of this machine.",
  config: configSchema,
  permissions: {
    net: ["unix:supervisor"],
    secrets: [],
    exec: ["chmod", "chown", "cp", "rm", "setpriv", "unshare"],
    fs: ["volumes", "/dev/shm"],
  },
  planes: { runtime },
});
