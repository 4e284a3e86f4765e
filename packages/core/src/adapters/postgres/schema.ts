import type { Artifact, Endpoint, RevisionSpec, RouteTable, ServiceAddress, VolumeHandle } from "@helixstack/sdk";
import type { ColumnType, Generated, Selectable } from "kysely";
import type { ErrorDocument } from "../../domain/errors.ts";
import type { DeploymentPlan, DeploymentRequest, StepKind } from "../../domain/plan.ts";
import type { DeploymentState, RevisionState, StepState } from "../../domain/states.ts";
import type { Decision, DecisionPoint } from "../../ports/policy-engine.ts";
import type { Principal, ReleaseRecord, RunRecord, VolumeRecord } from "../../ports/records.ts";

/** Documents are `json`, not `jsonb`: tasks run in the order in which the manifest names them, and `jsonb` sorts keys. */
type Json<T> = ColumnType<T, string, string>;
type NullableJson<T> = ColumnType<T | null, string | null, string | null>;
/** Read as ISO 8601 by the pool's type parser. */
type Time = ColumnType<string, string | undefined, string>;
type NullableTime = ColumnType<string | null, string | null | undefined, string | null>;

export interface HelixSchema {
  installation: { id: string; epoch: number; created_at: Time; restored_from: string | null; restored_at: string | null };
  organization: { id: string; name: string; created_at: Time };
  principal: { organization: string; id: string; kind: Principal["kind"]; name: string; created_at: Time };
  token: TokenTable;
  project: { organization: string; id: string; name: string; created_at: Time };
  environment: EnvironmentTable;
  idempotency: { organization: string; principal: string; key: string; request_hash: string; deployment: string; created_at: Time };
  deployment: DeploymentTable;
  run: RunTable;
  step: StepTable;
  release: ReleaseTable;
  build: { organization: string; input_key: string; artifact: Json<Artifact>; plugin: string; created_at: Time };
  decision: DecisionTable;
  waiver: WaiverTable;
  event_stream: { organization: string; stream: string; last: number };
  event: { organization: string; stream: string; seq: number; type: string; data: Json<Record<string, unknown>>; at: Time };
  unit: { organization: string; id: string; environment: string; service: string; plane: string; plugin: string; created_at: Time };
  revision: RevisionTable;
  route_table: RouteTableTable;
  volume: VolumeTable;
  outbox: { id: Generated<number>; organization: string; run: string; due_at: Time };
  worker: WorkerTable;
  worker_host: { worker: string; plugin: string; pid: number; start_ticks: string };
}

interface TokenTable {
  organization: string;
  id: string;
  name: string;
  principal: string;
  /** Null: the whole organization. */
  project: string | null;
  hash: string;
  created_at: Time;
  created_by: string;
  revoked_at: NullableTime;
  last_used_at: NullableTime;
}

interface EnvironmentTable {
  organization: string;
  id: string;
  project: string;
  name: string;
  live_release: string | null;
  active_deployment: string | null;
  last_release_number: Generated<number>;
  last_fence: Generated<number>;
  created_at: Time;
}

interface DeploymentTable {
  organization: string;
  id: string;
  environment: string;
  project: string;
  request: Json<DeploymentRequest>;
  state: DeploymentState;
  no_change: Generated<boolean>;
  plan: NullableJson<DeploymentPlan>;
  release: string | null;
  error: NullableJson<ErrorDocument>;
  principal: string;
  message: string | null;
  superseded_by: string | null;
  cancel_requested_by: string | null;
  created_at: Time;
  started_at: NullableTime;
  ended_at: NullableTime;
  deadline_at: Time;
}

interface RunTable {
  organization: string;
  id: string;
  deployment: string;
  environment: string;
  kind: RunRecord["kind"];
  state: RunRecord["state"];
  due_at: Time;
  worker: string | null;
  fence: Generated<number>;
  crashes: Generated<number>;
  /** Names the last commit, so that one whose answer was lost is not applied twice. */
  last_commit: string | null;
  /** When a lost wake-up was last sent again. */
  woken_at: NullableTime;
}

interface StepTable {
  organization: string;
  deployment: string;
  id: string;
  /** In the order in which steps were first intended. */
  ordinal: Generated<number>;
  kind: StepKind;
  service: string | null;
  state: StepState;
  attempt: number;
  operation_id: string;
  fence: number;
  worker: string;
  plugin: string | null;
  outcome: NullableJson<Record<string, unknown>>;
  error: NullableJson<ErrorDocument>;
  started_at: Time;
  ended_at: NullableTime;
}

interface ReleaseTable {
  organization: string;
  id: string;
  environment: string;
  deployment: string;
  number: number;
  services: Json<ReleaseRecord["services"]>;
  manifest: Json<ReleaseRecord["manifest"]>;
  config_hash: string;
  snapshot: string;
  plugins: Json<ReleaseRecord["plugins"]>;
  policy_bundle: string;
  findings: Json<ReleaseRecord["findings"]>;
  principal: string;
  created_at: Time;
}

interface DecisionTable {
  organization: string;
  id: string;
  deployment: string;
  point: DecisionPoint;
  input: Json<Record<string, unknown>>;
  input_digest: string;
  decision: Json<Decision>;
  at: Time;
}

interface WaiverTable {
  organization: string;
  id: string;
  project: string;
  /** Null: every environment of the project. */
  environment: string | null;
  rule: string;
  path: string | null;
  reason: string;
  principal: string;
  created_at: Time;
  expires_at: Time;
}

interface RevisionTable {
  organization: string;
  id: string;
  unit: string;
  environment: string;
  service: string;
  deployment: string;
  release: string | null;
  plugin: string;
  plugin_version: string;
  spec: Json<RevisionSpec>;
  state: RevisionState;
  plugin_state: NullableJson<unknown>;
  state_version: number | null;
  endpoints: Json<readonly Endpoint[]>;
  created_at: Time;
  retire_at: NullableTime;
  forgotten_by: string | null;
  forgotten_reason: string | null;
}

interface RouteTableTable {
  organization: string;
  environment: string;
  plugin: string;
  unit: string;
  table: NullableJson<RouteTable>;
  plugin_state: NullableJson<unknown>;
  addresses: Json<readonly ServiceAddress[]>;
  generation: number;
}

interface VolumeTable {
  organization: string;
  id: string;
  environment: string;
  service: string;
  name: string;
  plugin: string;
  handle: NullableJson<VolumeHandle>;
  state: VolumeRecord["state"];
  created_at: Time;
  forgotten_by: string | null;
  forgotten_reason: string | null;
}

interface WorkerTable {
  id: string;
  machine: string;
  boot: string;
  pid: number;
  start_ticks: string;
  planes: Json<readonly string[]>;
  started_at: Time;
  beat: Generated<number>;
  ended_at: NullableTime;
}

export type Row<T extends keyof HelixSchema> = Selectable<HelixSchema[T]>;
