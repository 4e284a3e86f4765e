import { sql } from "kysely";
import type { AccessLedger } from "../../ports/ledger.ts";
import type { Principal } from "../../ports/records.ts";
import type { Scope } from "../../ports/scope.ts";
import { EngineError } from "../../domain/errors.ts";
import type { LedgerContext } from "./context.ts";
import type { MakeId } from "./ids.ts";
import { toToken } from "./rows.ts";
import { scoped, type Db, type Trx } from "./transaction.ts";

/** A token's use is noted at most this often, so that reading does not become writing. */
const USE_NOTED_EVERY = "1 minute";

export function accessLedger(context: LedgerContext): AccessLedger {
  const { db, makeId } = context;
  return {
    authenticate: (tokenHash) => authenticate(context, tokenHash),

    createToken: (scope, input) =>
      scoped(db, scope, async (trx) => {
        const taken = await liveToken(trx, scope, input.name);
        if (taken !== undefined) {
          const hint = "Choose another name, or revoke the other token first.";
          throw new EngineError("CONFLICT", `there is a token of the name "${input.name}" already`, { hint, retryable: false });
        }
        const { organization } = scope;
        const principal = makeId("prn");
        await trx.insertInto("principal").values({ organization, id: principal, kind: "token", name: input.name }).execute();
        const { name, hash, project = null } = input;
        const values = { organization, id: makeId("tok"), name, principal, hash, project, created_by: scope.principal };
        return toToken(await trx.insertInto("token").values(values).returningAll().executeTakeFirstOrThrow());
      }),

    async listTokens(scope) {
      const rows = await db.selectFrom("token").selectAll().where("organization", "=", scope.organization).orderBy("id").execute();
      return rows.map(toToken);
    },

    revokeToken: (scope, nameOrId) =>
      scoped(db, scope, async (trx) => {
        const token = await liveToken(trx, scope, nameOrId);
        if (token === undefined) return null;
        const revoked = trx.updateTable("token").set({ revoked_at: sql<string>`now()` });
        const row = await revoked
          .where("organization", "=", scope.organization)
          .where("id", "=", token.id)
          .returningAll()
          .executeTakeFirst();
        return row === undefined ? null : toToken(row);
      }),

    ensurePrincipal: (input) => ensurePrincipal(db, { ...input, makeId }),

    async principal(scope, id): Promise<Principal | null> {
      const row = await db
        .selectFrom("principal")
        .select(["id", "kind", "name"])
        .where("organization", "=", scope.organization)
        .where("id", "=", id)
        .executeTakeFirst();
      return row ?? null;
    },
  };
}

async function authenticate({ db, readOnly }: LedgerContext, tokenHash: string): ReturnType<AccessLedger["authenticate"]> {
  const row = await db
    .selectFrom("token as t")
    .innerJoin("principal as p", (join) => join.onRef("p.organization", "=", "t.organization").onRef("p.id", "=", "t.principal"))
    .select(["t.organization", "t.id as token", "t.project", "p.id", "p.kind", "p.name"])
    .select(sql<boolean>`coalesce(t.last_used_at < now() - ${USE_NOTED_EVERY}::interval, true)`.as("stale"))
    .where("t.hash", "=", tokenHash)
    .where("t.revoked_at", "is", null)
    .executeTakeFirst();
  if (row === undefined) return null;
  if (row.stale && !readOnly) {
    const used = db.updateTable("token").set({ last_used_at: sql<string>`now()` });
    await used.where("organization", "=", row.organization).where("id", "=", row.token).execute();
  }
  return {
    scope: { organization: row.organization, principal: row.id },
    principal: { id: row.id, kind: row.kind, name: row.name },
    project: row.project,
  };
}

async function ensurePrincipal(db: Db, input: Pick<Principal, "kind" | "name"> & { readonly makeId: MakeId }): Promise<Scope> {
  const { kind, name } = input;
  const { id: organization } = await db
    .selectFrom("organization")
    .select("id")
    .where("name", "=", "default")
    .executeTakeFirstOrThrow(() => new EngineError("BUG", "the ledger has no default organization"));
  const named = db.selectFrom("principal").select("id").where("organization", "=", organization);
  const find = () => named.where("kind", "=", kind).where("name", "=", name).executeTakeFirst();
  const found = await find();
  if (found !== undefined) return { organization, principal: found.id };
  await db
    .insertInto("principal")
    .values({ organization, id: input.makeId("prn"), kind, name })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return { organization, principal: (await find())!.id };
}

function liveToken(trx: Trx, scope: Scope, nameOrId: string) {
  return trx
    .selectFrom("token")
    .select("id")
    .where("organization", "=", scope.organization)
    .where("revoked_at", "is", null)
    .where((where) => where.or([where("name", "=", nameOrId), where("id", "=", nameOrId)]))
    .forUpdate()
    .executeTakeFirst();
}
