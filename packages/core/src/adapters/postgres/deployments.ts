import { sql } from "kysely";
import { EngineError } from "../../domain/errors.ts";
import type { DeploymentLedger, Page, Paged } from "../../ports/ledger.ts";
import type { DeploymentSummary } from "../../ports/records.ts";
import type { Scope } from "../../ports/scope.ts";
import { requestCancel } from "./cancel.ts";
import type { LedgerContext } from "./context.ts";
import { createDeployment } from "./create-deployment.ts";
import { environmentReads } from "./environments.ts";
import { appendEvents, readEvents, readLastEvents } from "./events.ts";
import { SUMMARY, toBuild, toDecision, toDeployment, toRelease, toStep, toSummary } from "./rows.ts";
import { type Db, scoped } from "./transaction.ts";

export function deploymentLedger(context: LedgerContext): DeploymentLedger {
  const { db, listener } = context;
  return {
    ...environmentReads(context),
    ...releaseReads(context),
    createDeployment: createDeployment(context),
    requestCancel: requestCancel(context),

    async deployment(scope, id) {
      const row = await deployments(db, scope).where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : toDeployment(row);
    },

    async listDeployments(scope, page) {
      let query = db
        .selectFrom("deployment")
        .select(SUMMARY)
        .select(sql<DeploymentSummary["kind"]>`request->>'kind'`.as("kind"))
        .where("organization", "=", scope.organization)
        .orderBy("id", "desc")
        .limit(page.limit + 1);
      if (page.environment !== undefined) query = query.where("environment", "=", page.environment);
      if (page.project !== undefined) query = query.where("project", "=", await projectId(db, scope, page.project));
      if (page.cursor) query = query.where("id", "<", page.cursor);
      return paged((await query.execute()).map(toSummary), { page, cursorOf: (deployment) => deployment.id });
    },

    storeUse: storeUse(context),

    async steps(scope, deployment) {
      const query = db.selectFrom("step").selectAll().where("organization", "=", scope.organization);
      return (await query.where("deployment", "=", deployment).orderBy("ordinal").execute()).map(toStep);
    },

    async decisions(scope, deployment) {
      const query = db.selectFrom("decision").selectAll().where("organization", "=", scope.organization);
      return (await query.where("deployment", "=", deployment).orderBy("id").execute()).map(toDecision);
    },

    events: (scope, input) => readEvents(db, scope, input),
    lastEvents: (scope, input) => readLastEvents(db, scope, input),

    recordEvent: (scope, event) => scoped(db, scope, (trx) => appendEvents(trx, scope.organization, [event])),

    watch: (scope, { stream, signal }, onEvent) => listener.watchEvents(`${scope.organization}/${stream}`, { signal, onEvent }),
  };
}

/** See `DeploymentLedger.storeUse`. The JSON is read where it lies: a large ledger is not sent to ask this. */
function storeUse({ db }: LedgerContext): DeploymentLedger["storeUse"] {
  return async ({ organization }, { environment = null, isRunning = false }) => {
    const chosen = sql`from helix.deployment d where d.organization = ${organization}
      and (${environment}::text is null or d.environment = ${environment})
      and (not ${isRunning}::boolean or d.ended_at is null)`;
    const [snapshots, inputKeys] = await Promise.all([
      sql<Used>`select distinct d.request->>'snapshot' as used ${chosen} and d.request->>'snapshot' is not null`.execute(db),
      sql<Used>`select distinct service->'build'->>'inputKey' as used from (select d.plan ${chosen} and d.plan is not null) as planned,
        json_array_elements(planned.plan->'services') as service`.execute(db),
    ]);
    return { snapshots: snapshots.rows.map(({ used }) => used), inputKeys: inputKeys.rows.map(({ used }) => used) };
  };
}

interface Used {
  readonly used: string;
}

type ReleaseReads = Pick<DeploymentLedger, "release" | "listReleases" | "findBuild" | "listBuilds">;

function releaseReads({ db }: LedgerContext): ReleaseReads {
  return {
    async release(scope, id) {
      const query = db.selectFrom("release").selectAll().where("organization", "=", scope.organization);
      const row = await query.where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : toRelease(row);
    },

    async listReleases(scope, page) {
      let query = db.selectFrom("release").selectAll().where("organization", "=", scope.organization);
      query = query.where("environment", "=", page.environment);
      if (page.cursor) query = query.where("number", "<", numberCursor(page.cursor));
      const rows = await query
        .orderBy("number", "desc")
        .limit(page.limit + 1)
        .execute();
      return paged(rows.map(toRelease), { page, cursorOf: (release) => String(release.number) });
    },

    async findBuild(scope, inputKey) {
      const query = db.selectFrom("build").selectAll().where("organization", "=", scope.organization);
      const row = await query.where("input_key", "=", inputKey).executeTakeFirst();
      return row === undefined ? null : toBuild(row);
    },

    async listBuilds(scope) {
      const query = db.selectFrom("build").selectAll().where("organization", "=", scope.organization);
      return (await query.orderBy("created_at").execute()).map(toBuild);
    },
  };
}

function deployments(db: Db, scope: Scope) {
  return db.selectFrom("deployment").selectAll().where("organization", "=", scope.organization);
}

/** A project by id or by name: names have no underscore, ids do. Asked first, so that the list can be read along its index. */
async function projectId(db: Db, scope: Scope, idOrName: string): Promise<string> {
  const query = db.selectFrom("project").select("id").where("organization", "=", scope.organization);
  const row = await query.where((where) => where.or([where("id", "=", idOrName), where("name", "=", idOrName)])).executeTakeFirst();
  return row?.id ?? "";
}

/** `found` has one more than the page: it says whether there is a next page. */
function paged<T>(found: readonly T[], { page, cursorOf }: { page: Page; cursorOf: (item: T) => string }): Paged<T> {
  const items = found.slice(0, page.limit);
  const last = items.at(-1);
  return { items, next: found.length > page.limit && last !== undefined ? cursorOf(last) : null };
}

/** Of PostgreSQL's `integer`. */
const LARGEST_INTEGER = 2 ** 31 - 1;

function numberCursor(cursor: string): number {
  const number = Number(cursor);
  if (Number.isInteger(number) && Math.abs(number) <= LARGEST_INTEGER) return number;
  throw new EngineError("USAGE", `"${cursor}" is not a cursor of this list`);
}
