import type { DeploymentItem } from "@helixstack/core/client";

/** A deployment as it is shown: what ended well is `live`, but nothing lives after a destroy. */
export function shownStatus<D extends Pick<DeploymentItem, "kind" | "status">>(
  deployment: D,
): Omit<D, "status"> & { readonly status: D["status"] | "destroyed" } {
  const { kind, status } = deployment;
  return { ...deployment, status: kind === "destroy" && status === "live" ? "destroyed" : status };
}
