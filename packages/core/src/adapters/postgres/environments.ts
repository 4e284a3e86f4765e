import type { DeploymentLedger } from "../../ports/ledger.ts";
import type { EnvironmentRecord } from "../../ports/records.ts";
import type { Scope } from "../../ports/scope.ts";
import type { LedgerContext } from "./context.ts";
import type { MakeId } from "./ids.ts";
import { toEnvironment } from "./rows.ts";
import type { Db, Trx } from "./transaction.ts";

type EnvironmentReads = Pick<DeploymentLedger, "listEnvironments" | "listProjects" | "findEnvironment" | "environment">;

export function environmentReads({ db }: LedgerContext): EnvironmentReads {
  return {
    async listEnvironments(scope, filter) {
      let query = environments(db, scope).orderBy("p.name").orderBy("e.name");
      const project = filter?.project;
      if (project !== undefined) query = query.where((where) => where.or([where("p.name", "=", project), where("p.id", "=", project)]));
      return (await query.execute()).map(toEnvironment);
    },

    async listProjects(scope) {
      const rows = await db.selectFrom("project").selectAll().where("organization", "=", scope.organization).orderBy("name").execute();
      return rows.map((row) => ({ id: row.id, name: row.name, createdAt: row.created_at }));
    },

    findEnvironment: (scope, names) => findByName(db, scope, names),

    async environment(scope, id) {
      const row = await environments(db, scope).where("e.id", "=", id).executeTakeFirst();
      return row === undefined ? null : toEnvironment(row);
    },
  };
}

interface Names {
  readonly project: string;
  readonly environment: string;
}

/** The ids behind two names. What is missing is made; two that make it at once get the same. */
export async function ensureEnvironment(
  trx: Trx,
  input: Names & { readonly scope: Scope; readonly makeId: MakeId },
): Promise<{ readonly project: string; readonly environment: string }> {
  const { scope, makeId } = input;
  const { organization } = scope;
  const found = await findByName(trx, scope, input);
  if (found !== null) return { project: found.project, environment: found.id };
  await trx
    .insertInto("project")
    .values({ organization, id: makeId("prj"), name: input.project })
    .onConflict((conflict) => conflict.columns(["organization", "name"]).doNothing())
    .execute();
  const project = await trx
    .selectFrom("project")
    .select("id")
    .where("organization", "=", organization)
    .where("name", "=", input.project)
    .executeTakeFirstOrThrow();
  await trx
    .insertInto("environment")
    .values({ organization, id: makeId("env"), project: project.id, name: input.environment })
    .onConflict((conflict) => conflict.columns(["organization", "project", "name"]).doNothing())
    .execute();
  const made = await findByName(trx, scope, input);
  return { project: made!.project, environment: made!.id };
}

/** The names behind an id. */
export async function environmentNames(db: Db, scope: Scope, id: string): Promise<Names> {
  const row = await environments(db, scope).where("e.id", "=", id).executeTakeFirstOrThrow();
  return { project: row.project_name, environment: row.name };
}

async function findByName(db: Db, scope: Scope, names: Names): Promise<EnvironmentRecord | null> {
  const row = await environments(db, scope).where("p.name", "=", names.project).where("e.name", "=", names.environment).executeTakeFirst();
  return row === undefined ? null : toEnvironment(row);
}

function environments(db: Db, scope: Scope) {
  return db
    .selectFrom("environment as e")
    .innerJoin("project as p", (join) => join.onRef("p.organization", "=", "e.organization").onRef("p.id", "=", "e.project"))
    .selectAll("e")
    .select("p.name as project_name")
    .where("e.organization", "=", scope.organization);
}
