import { definePlugin } from "@helixstack/sdk";
import { configSchema } from "./config.ts";
import { delivery } from "./delivery.ts";

export default definePlugin({
  contract: 1,
  name: "router",
  version: "0.1.0",
  engine: ">=0.1",
  description: "Routes host names and ports of this machine to revisions.",
  config: configSchema,
  permissions: { net: ["unix:router"], secrets: [], exec: [], fs: ["the router's state folder"] },
  planes: { delivery },
  daemons: [{ role: "router", entry: "./dist/data-plane/main.js" }],
});
