import type { VolumeHandle } from "@helixstack/sdk";
import { newId } from "../../domain/ids.ts";
import { identityOf } from "../place.ts";
import { act, servicePlan } from "../run.ts";
import type { StepWork } from "./step.ts";

/** Makes a volume or finds it. Whoever made it goes on keeping it, whatever runtime uses it now. */
export const volumeStep: StepWork = async (run, step) => {
  const { deps, grip, place } = run;
  const { service, runtime } = servicePlan(run, step.service);
  const name = step.subject!;
  const known = await deps.ledger.volumes(grip.scope, { environment: place.environment.id });
  const present = known.filter(({ state }) => state === "wanted" || state === "there");
  const existing = present.find((volume) => volume.service === service && volume.name === name);
  const { id, plugin } = existing ?? { id: newId("vol", deps.clock.now()), plugin: runtime };
  const handle = await act<VolumeHandle>(run, step, {
    plane: "runtime",
    plugin,
    verb: "ensureVolume",
    identity: identityOf(place, { service, unit: id }),
    input: { name },
    writes: existing ? [] : [{ write: "volume.want", volume: { id, service, name, plugin } }],
  });
  return { outcome: { volume: id }, writes: [{ write: "volume.update", id, state: "there", handle }] };
};
