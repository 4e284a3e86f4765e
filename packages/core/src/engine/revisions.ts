import { createHash } from "node:crypto";
import type { ObservedRevision, VolumeMount } from "@helixstack/sdk";
import { EngineError } from "../domain/errors.ts";
import { revisionSpec } from "../domain/spec.ts";
import type { LedgerWrite, RevisionRecord } from "../ports/index.ts";
import { artifactOf } from "./artifacts.ts";
import type { Ask } from "./call.ts";
import type { EngineDeps } from "./deps.ts";
import { hostAddress } from "./host-address.ts";
import { type Place, identityOf } from "./place.ts";
import { type Run, manifestOf, servicePlan } from "./run.ts";

/** The revision that a deployment makes of a service, as far as calls need it. */
export type RevisionCore = Pick<
  RevisionRecord,
  "id" | "unit" | "service" | "plugin" | "pluginVersion" | "spec" | "pluginState" | "stateVersion"
>;

/** A call about one revision, with the state that its plugin wants back. */
export function askRevision(place: Place, revision: RevisionCore, call: { readonly verb: string; readonly input?: object }): Ask {
  const { id, unit, service, plugin, pluginState, stateVersion } = revision;
  return {
    plane: "runtime",
    plugin,
    verb: call.verb,
    identity: identityOf(place, { service, unit, revision: id }),
    input: { prior: pluginState ?? null, ...call.input },
    stateVersion,
  };
}

/** What the ledger shall remember of a revision that was just seen. */
export function seen(
  { plugins }: Pick<EngineDeps, "plugins">,
  revision: RevisionCore,
  observed: ObservedRevision,
): Extract<LedgerWrite, { write: "revision.update" }> {
  const { stateVersion } = plugins.get("runtime", revision.plugin).manifest.planes.runtime!;
  return { write: "revision.update", id: revision.id, pluginState: observed.state, stateVersion, endpoints: observed.endpoints };
}

/**
 * The id of the revision that a deployment makes of a service. It follows from both, so that whoever goes on makes the same; it begins
 * with the deployment's time, so that revisions sort by age.
 */
export function revisionId(deployment: string, service: string): string {
  const time = deployment.replace(/^dep_/, "").slice(0, 10);
  const rest = createHash("sha256").update(`${deployment} ${service}`).digest("hex").slice(0, 10);
  return `rev_${time}${rest}`;
}

/** The revision that this run brings into service for a planned one: kept, taken back, or its own. Null before it was written down. */
export async function nextRevision(run: Run, service: string): Promise<RevisionRecord | null> {
  const { ledger } = run.deps;
  const { action, live, reuse } = servicePlan(run, service);
  if (action === "keep") return live === null ? null : ledger.revision(run.grip.scope, live);
  const own = await ledger.revision(run.grip.scope, revisionId(run.deployment.id, service));
  if (own || reuse === null) return own;
  const taken = await ledger.revision(run.grip.scope, reuse);
  return taken?.state === "starting" ? taken : null;
}

/** A new revision of a service, and the write that puts it into the ledger before it is in the world. */
export async function newRevision(run: Run, service: string): Promise<{ readonly revision: RevisionCore; readonly write: LedgerWrite }> {
  const { deps, grip, place, deployment } = run;
  const { runtime } = servicePlan(run, service);
  const { version } = deps.plugins.get("runtime", runtime).manifest;
  const [unit, spec] = await Promise.all([
    deps.ledger.ensureUnit(grip.scope, { environment: place.environment.id, service, plane: "runtime", plugin: runtime }),
    specOf(run, service),
  ]);
  const revision = { id: revisionId(deployment.id, service), unit, service, plugin: runtime, pluginVersion: version, spec };
  return { revision: { ...revision, pluginState: null, stateVersion: null }, write: { write: "revision.create", revision } };
}

async function specOf(run: Run, name: string): Promise<RevisionRecord["spec"]> {
  const { project, environment } = run.place;
  const service = manifestOf(run).services[name]!;
  const [volumes, urls] = await Promise.all([mountsOf(run, name), urlsFor(run, name)]);
  const names = { project: project.name, environment: environment.name, service: name };
  return revisionSpec({ names, service, artifact: artifactOf(run, name), secrets: servicePlan(run, name).secrets, volumes, urls });
}

async function mountsOf(run: Run, service: string): Promise<readonly VolumeMount[]> {
  const { volumes } = servicePlan(run, service);
  if (volumes.length === 0) return [];
  const known = await run.deps.ledger.volumes(run.grip.scope, { environment: run.place.environment.id });
  const there = known.filter((record) => record.service === service && record.state === "there");
  return volumes.map((volume) => {
    const handle = there.find(({ name }) => name === volume.name)?.handle;
    if (!handle) throw new EngineError("BUG", `volume ${volume.name} of ${service} is not there yet`);
    return { ...volume, handle };
  });
}

/** Where this service reaches those that it needs: by their stable ports, from wherever its runtime puts it. */
async function urlsFor(run: Run, name: string): Promise<Readonly<Record<string, string>>> {
  const { needs, runtime } = manifestOf(run).services[name]!;
  if (needs.length === 0) return {};
  const [tables, host] = await Promise.all([
    run.deps.ledger.routeTables(run.grip.scope, { environment: run.place.environment.id }),
    hostAddress(run, runtime),
  ]);
  const addresses = tables.flatMap((table) => table.addresses);
  return Object.fromEntries(
    needs.flatMap((needed) => {
      const port = addresses.find(({ service }) => service === needed)?.address.port;
      return port === undefined ? [] : [[needed, `http://${host.includes(":") ? `[${host}]` : host}:${port}`]];
    }),
  );
}
