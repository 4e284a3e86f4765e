import type { EnvironmentStatus, ServiceStatus } from "@helixstack/core/client";
import type { PlaneReport } from "../plane/report.ts";
import type { Colors } from "./colors.ts";
import { columns, table } from "./table.ts";

/** Services with both of their addresses, then the local plane's processes. */
export function statusText(
  { environment, plane }: { readonly environment: Pick<EnvironmentStatus, "services">; readonly plane: PlaneReport },
  colors: Colors,
): string {
  const rows = environment.services.map((service) => [
    service.name,
    stateText(service.status, colors),
    service.url ?? "",
    service.address ? `${service.address.host}:${service.address.port}` : "",
    service.runtime,
    revisionsText(service),
  ]);
  const services =
    table(["service", "status", "url", "address", "runtime", "revisions"], rows) ||
    (plane.plane.running ? "No services here; `helix ls` lists what is deployed." : "");
  const processes = columns(byPid(plane).map(([pid, roles]) => [colors.dim(roles), colors.dim(`pid ${pid}`)]));
  return [services, processes].filter(Boolean).join("\n\n");
}

function stateText(status: ServiceStatus["status"], colors: Colors): string {
  const paint = { live: colors.green, degraded: colors.yellow, down: colors.red }[status];
  return paint(status);
}

/** `1 serving, 1 warm`. */
function revisionsText({ revisions }: ServiceStatus): string {
  const states = [...new Set(revisions.map(({ state }) => state))];
  return states.map((state) => `${revisions.filter((revision) => revision.state === state).length} ${state}`).join(", ");
}

/** One row a process: control and worker may be the same. */
function byPid({ processes }: PlaneReport): [pid: number, roles: string][] {
  const pids = [...new Set(processes.map(({ pid }) => pid))];
  return pids.map((pid) => [
    pid,
    processes
      .filter((process) => process.pid === pid)
      .map(({ role }) => role)
      .join(" + "),
  ]);
}
