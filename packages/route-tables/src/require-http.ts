import { PluginError, type RouteTable } from "@helixstack/sdk";

/** Rejects with `INVALID_SPEC` a table with a target of another kind than `http`. `plugin`: who says so. */
export function requireHttp(plugin: string, { routes }: RouteTable): void {
  for (const { service, targets } of routes) {
    const other = targets.find(({ endpoint }) => endpoint.kind !== "http");
    if (other)
      throw new PluginError(
        "INVALID_SPEC",
        `${plugin}: service "${service}" has a target of kind ${other.endpoint.kind}; it routes http only`,
      );
  }
}
