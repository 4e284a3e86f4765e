import { emptyStores } from "../empty-stores.ts";
import { identityOf } from "../place.ts";
import { act } from "../run.ts";
import { removeTable } from "../tables.ts";
import type { StepWork } from "./step.ts";

/** Removes an emptied route table, a volume with its data, or what the stores kept for the environment alone. */
export const eraseStep: StepWork = async (run, step) => {
  if (step.subject === null) return { outcome: await emptyStores(run) };
  if (step.service === null) return { writes: await removeTable(run, step, step.subject) };
  const volumes = await run.deps.ledger.volumes(run.grip.scope, { environment: run.place.environment.id });
  const volume = volumes.find(({ id }) => id === step.subject);
  if (!volume || volume.state === "gone" || volume.state === "forgotten") return { state: "skipped" };
  const { id, plugin, service, name } = volume;
  const identity = identityOf(run.place, { service, unit: id });
  // A volume that was wanted and never seen may be there all the same: making it again tells where.
  const ensure = { plane: "runtime", plugin, verb: "ensureVolume", identity, input: { name } } as const;
  const handle = volume.handle ?? (await act(run, step, ensure));
  await act(run, step, { plane: "runtime", plugin, verb: "destroyVolume", identity, input: { handle } });
  return { writes: [{ write: "volume.update", id, state: "gone" }] };
};
