import type { Trx } from "./transaction.ts";

/** Locks an environment's row: whoever changes who holds it, or what it serves, holds this first. Undefined when there is none. */
export function lockEnvironment(trx: Trx, place: { readonly organization: string; readonly environment: string }) {
  return trx
    .selectFrom("environment")
    .select(["active_deployment", "live_release", "last_release_number"])
    .where("organization", "=", place.organization)
    .where("id", "=", place.environment)
    .forNoKeyUpdate()
    .executeTakeFirst();
}
