import { definePlugin } from "@helixstack/sdk";
import { configSchema } from "./config.ts";
import { delivery } from "./delivery.ts";

export default definePlugin({
  contract: 1,
  name: "haproxy",
  version: "0.1.0",
  engine: ">=0.1",
  description: "Routes host names and ports of this machine to revisions with HAProxy.",
  config: configSchema,
  permissions: { net: ["unix:haproxy", "unix:supervisor"], secrets: [], exec: ["haproxy"], fs: ["HAProxy's state folder"] },
  planes: { delivery },
});
