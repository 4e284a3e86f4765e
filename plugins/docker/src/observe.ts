import type { Endpoint, ObservedInstance, ObservedRevision, PluginContext, RevisionPhase } from "@helixstack/sdk";
import { type ContainerInfo, inspectContainer, listContainers, type ContainerInspectInfo } from "./client.ts";
import { CONTAINER_PORT, type Config, type State } from "./config.ts";
import { usageOf } from "./usage.ts";

/** The revision as its containers are just now; null when there is none. */
export async function observeRevision(ctx: PluginContext<Config>): Promise<ObservedRevision<State> | null> {
  const listed = await revisionContainers(ctx);
  return observeContainers(
    ctx,
    listed.map(({ Id }) => Id),
  );
}

/** The same, of instances whose containers are known. */
export async function observeContainers(ctx: PluginContext<Config>, ids: readonly string[]): Promise<ObservedRevision<State> | null> {
  const inspected = await Promise.all(ids.map((id) => inspectContainer(ctx, id)));
  const containers = inspected
    .filter((container) => container !== null)
    .sort((a, b) => a.Name.localeCompare(b.Name, "en", { numeric: true }));
  const [first] = containers;
  if (!first) return null;
  const instances = await Promise.all(containers.map(observeInstance));
  return {
    state: { image: first.Config.Image },
    phase: phaseOf(instances),
    endpoints: containers.filter((container) => container.State.Running && !container.State.Paused).flatMap(endpointOf),
    instances,
    specDigest: first.Config.Labels["helix.spec"] ?? null,
  };
}

/** The containers that are this revision's instances. */
export async function revisionContainers(ctx: PluginContext<Config>): Promise<ContainerInfo[]> {
  return listContainers(ctx, instanceLabels(ctx));
}

/** Whether a container is one of this revision's instances. */
export function isInstance(ctx: PluginContext<Config>, { Labels }: ContainerInfo): boolean {
  return Object.entries(instanceLabels(ctx)).every(([label, value]) => Labels[label] === value);
}

function instanceLabels({ identity }: PluginContext<Config>): Readonly<Record<string, string>> {
  return { "helix.installation": identity.installation, "helix.revision": identity.revision, "helix.kind": "revision" };
}

function phaseOf(instances: readonly ObservedInstance[]): RevisionPhase {
  const phases = instances.map((instance) => instance.phase);
  if (phases.every((phase) => phase === "running")) return "running";
  if (phases.some((phase) => phase === "running")) return "degraded";
  if (phases.every((phase) => phase === "frozen")) return "frozen";
  return phases.every((phase) => phase === "stopped") ? "stopped" : "exited";
}

async function observeInstance(container: ContainerInspectInfo): Promise<ObservedInstance> {
  const { State: state, RestartCount: restarts } = container;
  const ended = !state.FinishedAt.startsWith("0001");
  return {
    phase: instancePhase(container),
    restarts,
    // The engine forgets the code of the last end when it starts the container again.
    lastExit: ended
      ? { code: state.Running && !state.Restarting ? null : state.ExitCode, at: new Date(state.FinishedAt).toISOString() }
      : null,
    ...(await usageOf({ id: container.Id, pid: state.Pid })),
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

function endpointOf(container: ContainerInspectInfo): Endpoint[] {
  const host = container.Config.Labels["helix.address"];
  return host ? [{ kind: "http", host, port: CONTAINER_PORT }] : [];
}
