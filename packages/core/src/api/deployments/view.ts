import { plainFinding } from "../../domain/finding.ts";
import type { RouteDeps } from "../deps.ts";
import { incidentsOf } from "../incidents.ts";
import type { DecisionItem, DeploymentDetail, DeploymentItem, StepItem } from "../documents.ts";
import type { DecisionRecord, DeploymentRecord, DeploymentSummary, Scope, StepRecord } from "../../ports/index.ts";

type Deps = Pick<RouteDeps, "ledger" | "names">;

/** Deployments as the API shows them, with the names of what they refer to by id. */
export async function deploymentItems(
  { names }: Pick<Deps, "names">,
  scope: Scope,
  records: readonly DeploymentSummary[],
): Promise<readonly DeploymentItem[]> {
  const [environments, principals] = await Promise.all([
    byId(
      records.map(({ environment }) => environment),
      (id) => names.environment(scope, id),
    ),
    byId(
      records.map(({ principal }) => principal),
      (id) => names.principal(scope, id),
    ),
  ]);
  return records.map((record) => {
    const environment = environments.get(record.environment);
    return {
      id: record.id,
      project: environment?.project ?? "",
      environment: environment?.name ?? "",
      kind: record.kind,
      status: record.state,
      noChange: record.noChange,
      release: record.release,
      message: record.message,
      principal: { id: record.principal, name: principals.get(record.principal) ?? "" },
      error: record.error,
      supersededBy: record.supersededBy,
      createdAt: record.createdAt,
      startedAt: record.startedAt,
      endedAt: record.endedAt,
      deadlineAt: record.deadlineAt,
    };
  });
}

export async function deploymentItem(deps: Pick<Deps, "names">, scope: Scope, record: DeploymentRecord): Promise<DeploymentItem> {
  return (await deploymentItems(deps, scope, [{ ...record, kind: record.request.kind }]))[0]!;
}

/** One deployment with its steps and decisions. */
export async function deploymentDetail(deps: Deps, scope: Scope, record: DeploymentRecord): Promise<DeploymentDetail> {
  const [item, steps, decisions, incidents] = await Promise.all([
    deploymentItem(deps, scope, record),
    deps.ledger.steps(scope, record.id),
    deps.ledger.decisions(scope, record.id),
    incidentsOf(deps, scope, `deployment:${record.id}`),
  ]);
  const { snapshot, toRelease } = record.request;
  return {
    ...item,
    snapshot,
    toRelease,
    changes: record.plan?.changes ?? [],
    steps: steps.map(stepItem),
    decisions: decisions.map(decisionItem),
    incidents,
  };
}

function stepItem({ id, kind, service, state, attempt, fence, plugin, error, startedAt, endedAt }: StepRecord): StepItem {
  return { id, kind, service, state, attempt, fence, plugin, error, startedAt, endedAt };
}

function decisionItem({ id, point, decision, inputDigest, at }: DecisionRecord): DecisionItem {
  return { id, point, allow: decision.allow, bundle: decision.bundle, inputDigest, findings: decision.findings.map(plainFinding), at };
}

async function byId<T>(ids: readonly string[], read: (id: string) => Promise<T | null>): Promise<ReadonlyMap<string, T>> {
  const found = await Promise.all([...new Set(ids)].map(async (id) => [id, await read(id)] as const));
  return new Map(found.flatMap(([id, value]) => (value === null ? [] : [[id, value] as const])));
}
