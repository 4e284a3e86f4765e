import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Artifact, BuildResult } from "@helixstack/sdk";
import { EngineError } from "../../domain/errors.ts";
import { secretsAs } from "../../domain/spec.ts";
import { isArtifactThere } from "../artifacts.ts";
import type { StepRef } from "../journal.ts";
import { identityOf } from "../place.ts";
import { type Run, act, manifestOf, servicePlan } from "../run.ts";
import type { StepWork } from "./step.ts";

/** Makes the artifact, or finds it: the same input is not built twice. */
export const buildStep: StepWork = async (run, step) => {
  const { deps, grip, place } = run;
  const { service, build } = servicePlan(run, step.service);
  const known = await deps.ledger.findBuild(grip.scope, build.inputKey);
  if (known && (await isArtifactThere(deps, place, { artifact: known.artifact, builder: build.plugin }))) {
    checkAccepted(run, { service, artifact: known.artifact });
    return { outcome: { artifact: known.artifact, cached: true }, mayWait: true };
  }
  const folder = await mkdtemp(join(deps.temp, "build-"));
  // Whom the builder gives the source to has to get there; what is below is closed to others.
  await chmod(folder, 0o711);
  try {
    const artifact = await buildFrom(run, step, { service, folder });
    checkAccepted(run, { service, artifact });
    const record = { inputKey: build.inputKey, artifact, plugin: build.plugin };
    return { outcome: { artifact, cached: false }, writes: [{ write: "build.record", build: record }] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function buildFrom(run: Run, step: StepRef, { service: name, folder }: { service: string; folder: string }): Promise<Artifact> {
  const { deps, deployment, place } = run;
  const service = manifestOf(run).services[name]!;
  const [source, output] = [join(folder, "source"), join(folder, "output")];
  await deps.sources.checkout(deployment.request.snapshot as `sha256:${string}`, { folder: service.source, target: source });
  await chmod(source, 0o700);
  await mkdir(output, { mode: 0o700 });
  const identity = identityOf(place, { service: name });
  const secrets = secretsAs(service, { refs: servicePlan(run, name).secrets, uses: ["build"] }).map(({ ref }) => ref);
  const { installation, organization, project, environment } = identity;
  const owner = { installation, organization, project, environment, service: name };
  const labels = Object.fromEntries(Object.entries(owner).map(([key, value]) => [`helix.${key}`, value]));
  const spec = service.options[service.build] ?? {};
  const input = { source, spec, start: service.start, output, platform: deps.platform, secrets, labels };
  const { kind, metadata, image } = await act<BuildResult>(run, step, {
    plane: "build",
    plugin: service.build,
    verb: "build",
    identity,
    input,
  });
  if (image === null) return (await deps.artifacts.put(kind, { folder: output, metadata })) as Artifact;
  return { kind, metadata, uri: image.uri, digest: image.digest } as Artifact;
}

/** A builder that can make several kinds may have made one that this runtime does not take. */
function checkAccepted(run: Run, { service, artifact }: { service: string; artifact: Artifact }): void {
  const { runtime, build } = servicePlan(run, service);
  const { accepts } = run.deps.plugins.get("runtime", runtime).manifest.planes.runtime!;
  if (accepts.includes(artifact.kind)) return;
  throw new EngineError(
    "CHAIN_UNFIT",
    `services.${service}: build ${build.plugin} made ${artifact.kind}, and runtime ${runtime} takes ${accepts.join(" or ")}`,
  );
}
