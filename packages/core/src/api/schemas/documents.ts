import { ARTIFACT_KINDS } from "@helixstack/sdk";
import { type TSchema, Type } from "typebox";
import { DEPLOYMENT_STATES, STEP_STATES } from "../../domain/states.ts";
import { STEP_KINDS } from "../../domain/plan.ts";
import { Time, closed, nullable, ref } from "./common.ts";

/** The shapes of `documents.ts` as schemas, under the names that `schemas/openapi.json` gives them. Tests hold every answer against them. */

const Text = Type.String();
const Error = {
  code: Type.String({ description: "Stable; see `GET /v1/errors/{code}`." }),
  message: Text,
  hint: Text,
  plane: Type.Optional(Text),
  plugin: Type.Optional(Type.String({ description: "`name@version`." })),
  step: Type.Optional(Text),
  logs: Type.Optional(Type.Array(Text)),
  findings: Type.Optional(Type.Array(Type.Unknown())),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
};
/** What every finding says; answers that say more of it begin with these. */
export const FINDING = {
  rule: Text,
  level: Type.Enum(["advisory", "mandatory", "soft-mandatory"]),
  message: Text,
  path: Text,
  file: Text,
  line: nullable(Type.Integer()),
  fix: Text,
};
const status = Type.Enum([...DEPLOYMENT_STATES]);
const kind = Type.Enum(["deploy", "rollback", "destroy"]);
const serviceResult = {
  name: Text,
  environment: Text,
  url: nullable(Text),
  address: nullable(closed({ host: Text, port: Type.Integer() })),
  runtime: Text,
  artifact: closed({ kind: Type.Enum([...ARTIFACT_KINDS]), digest: Text }),
};
const deploymentItem = {
  id: Text,
  project: Text,
  environment: Text,
  kind,
  status,
  noChange: Type.Boolean(),
  release: nullable(Text),
  message: nullable(Text),
  principal: closed({ id: Text, name: Text }),
  error: nullable(ref("Error")),
  supersededBy: nullable(Text),
  createdAt: Time,
  startedAt: nullable(Time),
  endedAt: nullable(Time),
  deadlineAt: Time,
};

const token = { id: Text, name: Text, project: nullable(Text), createdAt: Time, lastUsedAt: nullable(Time), revokedAt: nullable(Time) };

const DOCUMENTS: Readonly<Record<string, TSchema>> = {
  Error: closed(Error),
  Problem: closed({
    type: Text,
    title: Text,
    status: Type.Integer(),
    detail: Text,
    instance: Text,
    requestId: Text,
    retryable: Type.Boolean(),
    ...Error,
  }),
  Finding: closed(FINDING),
  Change: closed({
    service: Text,
    action: Type.Enum(["create", "update", "replace", "delete"]),
    path: Text,
    from: Type.Unknown(),
    to: Type.Unknown(),
  }),
  Deployment: closed(deploymentItem),
  DeploymentDetail: closed({
    ...deploymentItem,
    snapshot: nullable(Text),
    toRelease: nullable(Text),
    changes: Type.Array(ref("Change")),
    steps: Type.Array(ref("Step")),
    decisions: Type.Array(ref("Decision")),
    incidents: Type.Array(ref("Incident")),
  }),
  Incident: closed({
    at: Time,
    deployment: Text,
    run: Type.Enum(["main", "cleanup", "repair"]),
    worker: Text,
    step: nullable(Text),
    reason: Text,
    takenOverBy: nullable(Text),
    takenOverAt: nullable(Time),
    isQuarantined: Type.Boolean(),
  }),
  Step: closed({
    id: Text,
    kind: Type.Enum([...STEP_KINDS]),
    service: nullable(Text),
    state: Type.Enum([...STEP_STATES]),
    attempt: Type.Integer(),
    fence: Type.Integer(),
    plugin: nullable(Text),
    error: nullable(ref("Error")),
    startedAt: Time,
    endedAt: nullable(Time),
  }),
  Decision: closed({
    id: Text,
    point: Type.Enum(["plan", "artifact", "release"]),
    allow: Type.Boolean(),
    bundle: Text,
    inputDigest: Text,
    findings: Type.Array(ref("Finding")),
    at: Time,
  }),
  DeploymentResult: closed({
    deployment: closed({ id: Text, kind, status, noChange: Type.Boolean() }),
    release: nullable(closed({ id: Text })),
    services: Type.Array(ref("Service")),
    findings: Type.Array(ref("Finding")),
    error: nullable(ref("Error")),
  }),
  Service: closed(serviceResult),
  ServiceStatus: closed({
    ...serviceResult,
    status: Type.Enum(["live", "degraded", "down"]),
    revisions: Type.Array(closed({ id: Text, release: nullable(Text), state: Type.Enum(["starting", "serving", "draining", "warm"]) })),
  }),
  EnvironmentStatus: closed({
    project: Text,
    environment: Text,
    release: nullable(closed({ id: Text })),
    deployment: nullable(closed({ id: Text, status })),
    services: Type.Array(ref("ServiceStatus")),
  }),
  Plan: closed({ changes: Type.Array(ref("Change")), findings: Type.Array(ref("Finding")), allow: Type.Boolean() }),
  Candidate: closed({
    release: Text,
    number: Type.Integer(),
    createdAt: Time,
    message: nullable(Text),
    warm: Type.Boolean(),
    changes: Type.Array(ref("Change")),
  }),
  Release: closed({
    id: Text,
    number: Type.Integer(),
    deployment: Text,
    snapshot: Text,
    configHash: Text,
    plugins: Type.Record(Type.String(), Text),
    policyBundle: Text,
    principal: closed({ id: Text, name: Text }),
    services: Type.Array(
      closed({ name: Text, runtime: Text, delivery: Text, revision: Text, artifact: closed({ kind: Text, digest: Text }) }),
    ),
    createdAt: Time,
  }),
  Environment: closed({
    id: Text,
    project: Text,
    name: Text,
    liveRelease: nullable(Text),
    activeDeployment: nullable(Text),
    createdAt: Time,
  }),
  Secret: closed({ name: Text, version: Text, updatedAt: Time }),
  SecretChange: closed({ name: Text, action: Type.Enum(["create", "update", "same"]) }),
  SecretEvent: closed({
    seq: Type.Integer(),
    type: Type.Enum(["secrets.set", "secrets.removed", "secrets.pulled"]),
    principal: closed({ id: Text, name: Text }),
    names: Type.Array(Text),
    at: Time,
  }),
  Token: closed(token),
  NewToken: closed({ ...token, token: Type.String({ description: "Shown this once." }) }),
  Principal: closed({ id: Text, kind: Type.Enum(["person", "token", "system"]), name: Text, organization: Text }),
  Plugin: closed({
    name: Text,
    version: Text,
    description: Text,
    planes: Type.Array(Type.Enum(["build", "runtime", "delivery"])),
    capabilities: Type.Array(Text),
    digest: Text,
  }),
  Sweep: closed({
    drift: Type.Array(closed({ kind: Text, id: Text, service: nullable(Text), description: Text })),
    orphans: Type.Array(closed({ plugin: Text, kind: Text, id: Text, description: Text, isNewer: Type.Boolean() })),
    unknown: Type.Array(closed({ plugin: Text, error: ref("Error") })),
  }),
  Stats: closed({
    revision: Text,
    release: nullable(Text),
    requests: Type.Integer(),
    failures: Type.Integer(),
    inFlight: Type.Integer(),
  }),
  Plane: closed({
    processes: Type.Array(closed({ role: Text, pid: Type.Integer() })),
    database: closed({ ok: Type.Boolean(), error: Type.Optional(Text) }),
    queue: closed({
      ok: Type.Boolean(),
      kind: Type.Enum(["postgres", "redis"]),
      depth: Type.Optional(Type.Integer()),
      error: Type.Optional(Text),
    }),
    incidents: Type.Array(ref("Incident")),
    now: Time,
  }),
};

/** All named schemas, each with its name as `$id`. */
export const NAMED_SCHEMAS: readonly TSchema[] = Object.entries(DOCUMENTS).map(([$id, schema]) => ({ ...schema, $id }) as TSchema);
