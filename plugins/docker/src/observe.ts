import type { Endpoint, ObservedInstance, ObservedRevision, PluginContext, RevisionPhase } from "@helixstack/sdk";
import { askUnless, engineOf, inspectContainer, listContainers, type ContainerInspectInfo } from "./client.ts";
import { CONTAINER_PORT, type Config, type State } from "./config.ts";

/** The revision as its containers are just now; null when there is none. */
export async function observeRevision(ctx: PluginContext<Config>): Promise<ObservedRevision<State> | null> {
  const listed = await revisionContainers(ctx);
  const inspected = await Promise.all(listed.map((container) => inspectContainer(ctx, container.Id)));
  const containers = inspected
    .filter((container) => container !== null)
    .sort((a, b) => a.Name.localeCompare(b.Name, "en", { numeric: true }));
  const [first] = containers;
  if (!first) return null;
  const instances = await Promise.all(containers.map((container) => observeInstance(ctx, container)));
  return {
    state: { image: first.Config.Image },
    phase: phaseOf(instances),
    endpoints: containers.filter((container) => container.State.Running && !container.State.Paused).flatMap(endpointOf),
    instances,
    specDigest: first.Config.Labels["helix.spec"] ?? null,
  };
}

/** The containers that are this revision's instances. */
export function revisionContainers(ctx: PluginContext<Config>) {
  return listContainers(ctx, {
    "helix.installation": ctx.identity.installation,
    "helix.revision": ctx.identity.revision,
    "helix.kind": "revision",
  });
}

function phaseOf(instances: readonly ObservedInstance[]): RevisionPhase {
  const phases = instances.map((instance) => instance.phase);
  if (phases.every((phase) => phase === "running")) return "running";
  if (phases.some((phase) => phase === "running")) return "degraded";
  if (phases.every((phase) => phase === "frozen")) return "frozen";
  return phases.every((phase) => phase === "stopped") ? "stopped" : "exited";
}

async function observeInstance(ctx: PluginContext<Config>, container: ContainerInspectInfo): Promise<ObservedInstance> {
  const { State: state, RestartCount: restarts } = container;
  const ended = !state.FinishedAt.startsWith("0001");
  return {
    phase: instancePhase(container),
    restarts,
    // The engine forgets the code of the last end when it starts the container again.
    lastExit: ended
      ? { code: state.Running && !state.Restarting ? null : state.ExitCode, at: new Date(state.FinishedAt).toISOString() }
      : null,
    ...(state.Running && !state.Paused ? await usage(ctx, container.Id) : { memoryBytes: null, cpuSeconds: null }),
  };
}

function instancePhase({ State: state }: ContainerInspectInfo): ObservedInstance["phase"] {
  if (state.Paused) return "frozen";
  if (state.Restarting) return "backing-off";
  if (state.Running) return isUnhealthy(state) ? "exited" : "running";
  // A container that we stopped has the same look as one that ended by itself with a signal: unless-stopped brings the latter back.
  return "stopped";
}

/** The image's own HEALTHCHECK, where it has one. */
function isUnhealthy(state: ContainerInspectInfo["State"]): boolean {
  return state.Health?.Status === "unhealthy";
}

async function usage(ctx: PluginContext<Config>, id: string): Promise<Pick<ObservedInstance, "memoryBytes" | "cpuSeconds">> {
  const stats = await askUnless([404, 409], "read usage", () => engineOf(ctx).getContainer(id).stats({ stream: false, "one-shot": true }));
  return {
    memoryBytes: stats?.memory_stats?.usage ?? null,
    cpuSeconds: stats?.cpu_stats?.cpu_usage ? stats.cpu_stats.cpu_usage.total_usage / 1e9 : null,
  };
}

function endpointOf(container: ContainerInspectInfo): Endpoint[] {
  const host = container.Config.Labels["helix.address"];
  return host ? [{ kind: "http", host, port: CONTAINER_PORT }] : [];
}
