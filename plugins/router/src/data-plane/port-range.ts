import type { PortRange } from "@helixstack/route-tables";

/** Below the ports that Linux hands out by itself, so that an outgoing connection seldom sits on one. */
export const PORTS: PortRange = { first: 20_000, count: 10_000 };
