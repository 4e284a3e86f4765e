import type {
  BuildRecord,
  DecisionRecord,
  DeploymentRecord,
  DeploymentSummary,
  EnvironmentRecord,
  EventRecord,
  ReleaseRecord,
  RevisionRecord,
  RouteTableRecord,
  RunRecord,
  StepRecord,
  TokenRecord,
  VolumeRecord,
  WorkerRecord,
} from "../../ports/records.ts";
import type { Row } from "./schema.ts";

/** Rows to records: one function a table. What the engine does not know of (organization, ordinals) stays behind. */

export function toToken(row: Row<"token">): TokenRecord {
  return {
    id: row.id,
    name: row.name,
    principal: row.principal,
    project: row.project,
    createdAt: row.created_at,
    createdBy: row.created_by,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}

export function toEnvironment(row: Row<"environment"> & { readonly project_name: string }): EnvironmentRecord {
  return {
    id: row.id,
    project: row.project,
    projectName: row.project_name,
    name: row.name,
    liveRelease: row.live_release,
    activeDeployment: row.active_deployment,
    createdAt: row.created_at,
  };
}

export function toDeployment(row: Row<"deployment">): DeploymentRecord {
  return { ...common(row), request: row.request, plan: row.plan };
}

/** What lists read of a deployment. */
export const SUMMARY = [
  "id",
  "environment",
  "state",
  "no_change",
  "release",
  "error",
  "principal",
  "message",
  "superseded_by",
  "cancel_requested_by",
  "created_at",
  "started_at",
  "ended_at",
  "deadline_at",
] as const;

type SummaryRow = Pick<Row<"deployment">, (typeof SUMMARY)[number]>;

export function toSummary(row: SummaryRow & Pick<DeploymentSummary, "kind">): DeploymentSummary {
  return { ...common(row), kind: row.kind };
}

function common(row: SummaryRow): Omit<DeploymentSummary, "kind"> {
  return {
    id: row.id,
    environment: row.environment,
    state: row.state,
    noChange: row.no_change,
    release: row.release,
    error: row.error,
    principal: row.principal,
    message: row.message,
    supersededBy: row.superseded_by,
    cancelRequestedBy: row.cancel_requested_by,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    deadlineAt: row.deadline_at,
  };
}

export function toRun(row: Row<"run">): RunRecord {
  return {
    id: row.id,
    deployment: row.deployment,
    environment: row.environment,
    kind: row.kind,
    state: row.state,
    dueAt: row.due_at,
    worker: row.worker,
    fence: row.fence,
    crashes: row.crashes,
  };
}

export function toStep(row: Row<"step">): StepRecord {
  return {
    deployment: row.deployment,
    id: row.id,
    kind: row.kind,
    service: row.service,
    state: row.state,
    attempt: row.attempt,
    operationId: row.operation_id,
    fence: row.fence,
    worker: row.worker,
    plugin: row.plugin,
    outcome: row.outcome,
    error: row.error,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

export function toRelease(row: Row<"release">): ReleaseRecord {
  return {
    id: row.id,
    environment: row.environment,
    deployment: row.deployment,
    number: row.number,
    services: row.services,
    manifest: row.manifest,
    configHash: row.config_hash,
    snapshot: row.snapshot,
    plugins: row.plugins,
    policyBundle: row.policy_bundle,
    findings: row.findings,
    principal: row.principal,
    createdAt: row.created_at,
  };
}

export function toBuild(row: Row<"build">): BuildRecord {
  return { inputKey: row.input_key, artifact: row.artifact, plugin: row.plugin, createdAt: row.created_at };
}

export function toDecision(row: Row<"decision">): DecisionRecord {
  return {
    id: row.id,
    deployment: row.deployment,
    point: row.point,
    input: row.input,
    inputDigest: row.input_digest,
    decision: row.decision,
    at: row.at,
  };
}

export function toEvent(row: Row<"event">): EventRecord {
  return { stream: row.stream, seq: row.seq, type: row.type, data: row.data, at: row.at };
}

export function toRevision(row: Row<"revision">): RevisionRecord {
  return {
    id: row.id,
    unit: row.unit,
    environment: row.environment,
    service: row.service,
    deployment: row.deployment,
    release: row.release,
    plugin: row.plugin,
    pluginVersion: row.plugin_version,
    spec: row.spec,
    state: row.state,
    pluginState: row.plugin_state,
    stateVersion: row.state_version,
    endpoints: row.endpoints,
    createdAt: row.created_at,
    retireAt: row.retire_at,
  };
}

export function toRouteTable(row: Row<"route_table">): RouteTableRecord {
  return {
    environment: row.environment,
    plugin: row.plugin,
    unit: row.unit,
    table: row.table,
    pluginState: row.plugin_state,
    addresses: row.addresses,
    generation: row.generation,
  };
}

export function toVolume(row: Row<"volume">): VolumeRecord {
  return {
    id: row.id,
    environment: row.environment,
    service: row.service,
    name: row.name,
    plugin: row.plugin,
    handle: row.handle,
    state: row.state,
    createdAt: row.created_at,
  };
}

export function toWorker(row: Row<"worker">): WorkerRecord {
  return {
    id: row.id,
    machine: row.machine,
    boot: row.boot,
    pid: row.pid,
    startTicks: row.start_ticks,
    planes: row.planes,
    startedAt: row.started_at,
    beat: row.beat,
    endedAt: row.ended_at,
  };
}
