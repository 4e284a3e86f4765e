import { json } from "./transaction.ts";
import type { Applied, CommitContext, WriteOf } from "./writes.ts";

/** The environment's row is locked, so numbers follow one another. */
export async function createRelease({ trx, grip }: CommitContext, { release }: WriteOf<"release.create">): Applied {
  const { organization, principal } = grip.scope;
  const { last_release_number: number } = await trx
    .updateTable("environment")
    .set((set) => ({ last_release_number: set("last_release_number", "+", 1) }))
    .where("organization", "=", organization)
    .where("id", "=", grip.environment)
    .returning("last_release_number")
    .executeTakeFirstOrThrow();
  await trx
    .insertInto("release")
    .values({
      organization,
      id: release.id,
      environment: grip.environment,
      deployment: grip.deployment,
      number,
      services: json(release.services),
      manifest: json(release.manifest),
      config_hash: release.configHash,
      snapshot: release.snapshot,
      plugins: json(release.plugins),
      policy_bundle: release.policyBundle,
      findings: json(release.findings),
      principal,
    })
    .execute();
  return [];
}

/** A build whose artifact was lost is made again and replaces the record. */
export async function recordBuild({ trx, grip }: CommitContext, { build }: WriteOf<"build.record">): Applied {
  const values = { artifact: json(build.artifact), plugin: build.plugin };
  await trx
    .insertInto("build")
    .values({ organization: grip.scope.organization, input_key: build.inputKey, ...values })
    .onConflict((conflict) => conflict.columns(["organization", "input_key"]).doUpdateSet(values))
    .execute();
  return [];
}

export async function recordDecision({ trx, grip }: CommitContext, { decision }: WriteOf<"decision.record">): Applied {
  await trx
    .insertInto("decision")
    .values({
      organization: grip.scope.organization,
      id: decision.id,
      deployment: grip.deployment,
      point: decision.point,
      input: json(decision.input),
      input_digest: decision.inputDigest,
      decision: json(decision.decision),
    })
    .execute();
  return [];
}
