import { EngineError } from "../../domain/errors.ts";
import { json, jsonOrNull } from "./transaction.ts";
import type { Applied, CommitContext, WriteOf } from "./writes.ts";

export async function createRevision({ trx, grip }: CommitContext, { revision }: WriteOf<"revision.create">): Applied {
  const { id, unit, service, plugin, pluginVersion, spec } = revision;
  await trx
    .insertInto("revision")
    .values({
      organization: grip.scope.organization,
      id,
      unit,
      environment: grip.environment,
      service,
      deployment: grip.deployment,
      release: null,
      plugin,
      plugin_version: pluginVersion,
      spec: json(spec),
      state: "starting",
      endpoints: "[]",
    })
    .execute();
  return [];
}

export async function updateRevision({ trx, grip }: CommitContext, write: WriteOf<"revision.update">): Applied {
  const { organization } = grip.scope;
  const changes = {
    ...(write.state === undefined ? {} : { state: write.state }),
    ...(write.release === undefined ? {} : { release: write.release }),
    ...(write.pluginState === undefined ? {} : { plugin_state: jsonOrNull(write.pluginState) }),
    ...(write.stateVersion === undefined ? {} : { state_version: write.stateVersion }),
    ...(write.endpoints === undefined ? {} : { endpoints: json(write.endpoints) }),
    ...(write.retireAt === undefined ? {} : { retire_at: write.retireAt }),
  };
  // A write that only checks `from` still has to find the row.
  let update = trx.updateTable("revision").set({ ...changes, id: write.id });
  update = update.where("organization", "=", organization).where("id", "=", write.id);
  if (write.from !== undefined) update = update.where("state", "in", write.from);
  const { numUpdatedRows } = await update.executeTakeFirst();
  if (numUpdatedRows > 0n) return [];
  const query = trx.selectFrom("revision").select("state").where("organization", "=", organization);
  const row = await query.where("id", "=", write.id).executeTakeFirst();
  if (row === undefined) throw new EngineError("BUG", `the ledger has no revision ${write.id}`);
  const message = `revision ${write.id} is ${row.state}, not ${write.from?.join(" or ")}`;
  throw new EngineError("CONFLICT", message, { retryable: false });
}

export async function intendRoutes({ trx, grip }: CommitContext, write: WriteOf<"routes.intend">): Applied {
  const { plugin, unit, generation } = write;
  const intended = await trx
    .insertInto("route_table")
    .values({ organization: grip.scope.organization, environment: grip.environment, plugin, unit, generation, addresses: "[]" })
    .onConflict((conflict) =>
      conflict
        .columns(["organization", "environment", "plugin"])
        .doUpdateSet({ unit, generation })
        .where("route_table.generation", "<", generation),
    )
    .executeTakeFirst();
  if (intended.numInsertedOrUpdatedRows === 1n) return [];
  const message = `generation ${generation} of the routes of environment ${grip.environment} at ${plugin} was handed out before`;
  throw new EngineError("CONFLICT", message, { retryable: false });
}

export async function setRoutes({ trx, grip }: CommitContext, write: WriteOf<"routes.set">): Applied {
  const { numUpdatedRows } = await trx
    .updateTable("route_table")
    .set({ table: jsonOrNull(write.table), plugin_state: jsonOrNull(write.pluginState), addresses: json(write.addresses) })
    .where("organization", "=", grip.scope.organization)
    .where("environment", "=", grip.environment)
    .where("plugin", "=", write.plugin)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new EngineError("BUG", `the routes at ${write.plugin} were set before they were intended`);
  return [];
}

/** A volume that is there already stays as it is; one that is gone or forgotten is wanted again. */
export async function wantVolume({ trx, grip }: CommitContext, { volume }: WriteOf<"volume.want">): Applied {
  const { id, service, name, plugin } = volume;
  await trx
    .insertInto("volume")
    .values({
      organization: grip.scope.organization,
      id,
      environment: grip.environment,
      service,
      name,
      plugin,
      handle: null,
      state: "wanted",
    })
    .onConflict((conflict) =>
      conflict
        .columns(["organization", "id"])
        .doUpdateSet({ state: "wanted", handle: null })
        .where("volume.state", "in", ["gone", "forgotten"]),
    )
    .execute();
  return [];
}

export async function updateVolume({ trx, grip }: CommitContext, write: WriteOf<"volume.update">): Applied {
  const { numUpdatedRows } = await trx
    .updateTable("volume")
    .set({ state: write.state, ...(write.handle === undefined ? {} : { handle: jsonOrNull(write.handle) }) })
    .where("organization", "=", grip.scope.organization)
    .where("id", "=", write.id)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new EngineError("BUG", `the ledger has no volume ${write.id}`);
  return [];
}
