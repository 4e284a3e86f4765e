import type { Artifact } from "@helixstack/sdk";
import { step } from "../domain/plan-steps.ts";
import { EngineError } from "../domain/errors.ts";
import { readPlugin } from "./call.ts";
import type { EngineDeps } from "./deps.ts";
import { type Place, identityOf } from "./place.ts";
import { type Run, servicePlan } from "./run.ts";

/** The artifact that a service of this run is made of: planned, or built by it. */
export function artifactOf(run: Run, service: string): Artifact {
  const built = run.journal.entry(step("build", service).id)?.outcome?.["artifact"] as Artifact | undefined;
  const artifact = servicePlan(run, service).artifact ?? built;
  if (artifact) return artifact;
  throw new EngineError("BUG", `service ${service} has not been built yet`);
}

/** Whether an artifact's content is still there, wherever it is kept. */
export async function isArtifactThere(
  deps: EngineDeps,
  place: Place,
  { artifact, builder }: { artifact: Artifact; builder: string },
): Promise<boolean> {
  if (artifact.uri.startsWith("file:")) return deps.artifacts.has(artifact);
  if (!deps.plugins.supports(builder, "build.has")) return true;
  return readPlugin<boolean>(deps, place, {
    plane: "build",
    plugin: builder,
    verb: "has",
    identity: identityOf(place, {}),
    input: { artifact },
  });
}
