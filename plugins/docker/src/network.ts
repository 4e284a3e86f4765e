import type { PluginContext } from "@helixstack/sdk";
import { type ContainerInfo, type NetworkInspectInfo, askUnless, engineOf, ownContainers } from "./client.ts";
import type { Config } from "./config.ts";
import { statusOf, toFailure } from "./failures.ts";
import { networkName } from "./names.ts";

/** The installation's network: its gateway is where the router listens for containers. */
export interface Network {
  readonly name: string;
  readonly gateway: string;
  /** First three numbers of its /24. */
  readonly prefix: string;
}

/**
 * Finds or makes the network. Containers on it reach the router and the world, but not each other: a service is reached through its
 * address at the router, so that a switch is a switch for everybody.
 */
export async function ensureNetwork(ctx: PluginContext<Config>): Promise<Network> {
  const name = networkName(ctx.identity.installation);
  for (let third = 0; third < 256; third++) {
    const found = await findNetwork(ctx, name);
    if (found) return found;
    await createNetwork(ctx, { name, subnet: `${ctx.config.subnetPrefix}.${third}` });
  }
  throw toFailure(new Error(`no free subnet below ${ctx.config.subnetPrefix}.0.0/16`), "make the network");
}

/** Removes the network when no container is left that could use it. */
export async function removeUnusedNetwork(ctx: PluginContext<Config>): Promise<void> {
  const left = await ownContainers(ctx);
  if (left.length > 0) return;
  // 403: a container is being attached at this very moment; it needs the network.
  await askUnless([403, 404], "remove the network", () => engineOf(ctx).getNetwork(networkName(ctx.identity.installation)).remove());
}

/** An address of the network that no container has, running or not. */
export function freeAddress(
  ctx: PluginContext<Config>,
  { network, containers, name }: { readonly network: Network; readonly containers: readonly ContainerInfo[]; readonly name: string },
): string {
  const taken = new Set(containers.map((container) => container.Labels["helix.address"]));
  const start = hash(name);
  for (let i = 0; i < 252; i++) {
    const address = `${network.prefix}.${2 + ((start + i) % 252)}`;
    if (!taken.has(address)) return address;
  }
  throw toFailure(new Error(`all 252 addresses of ${network.prefix}.0/24 are in use`), "choose an address");
}

async function findNetwork(ctx: PluginContext<Config>, name: string): Promise<Network | null> {
  const info: NetworkInspectInfo | null = await askUnless([404], "inspect the network", () => engineOf(ctx).getNetwork(name).inspect());
  const subnet = info?.IPAM?.Config?.[0]?.["Subnet"];
  const prefix = subnet?.split(".").slice(0, 3).join(".");
  return prefix ? { name, prefix, gateway: `${prefix}.1` } : null;
}

/** Makes it, unless somebody else just did or the subnet overlaps with another. */
async function createNetwork(ctx: PluginContext<Config>, { name, subnet }: { name: string; subnet: string }): Promise<void> {
  try {
    await engineOf(ctx).createNetwork({
      Name: name,
      CheckDuplicate: true,
      Driver: "bridge",
      IPAM: { Driver: "default", Config: [{ Subnet: `${subnet}.0/24`, Gateway: `${subnet}.1` }] },
      Options: { "com.docker.network.bridge.enable_icc": "false" },
      Labels: { "helix.kind": "network", "helix.installation": ctx.identity.installation },
    });
  } catch (error) {
    const overlaps = error instanceof Error && /overlap|conflicts/i.test(error.message);
    if (statusOf(error) !== 409 && !overlaps) throw toFailure(error, "make the network");
  }
}

function hash(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return sum;
}
