import { createHash } from "node:crypto";
import { EngineError } from "../../domain/errors.ts";
import { isEnvironmentName } from "../../domain/names.ts";
import type { DeploymentRequest } from "../../domain/plan.ts";
import type { DeploymentRecord, Scope, SnapshotEntry } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import { findEnvironment } from "../environments/find.ts";
import { DEFAULT_ENVIRONMENT, type DeploymentBody } from "./schema.ts";
import { readWish } from "./wish.ts";

type BodyOf<K extends DeploymentBody["kind"]> = Extract<DeploymentBody, { kind: K }> & { readonly environment: string };

const DEADLINE_MS = 30 * 60_000;

/** Records what was asked for. Everything that can be seen to be wrong is refused here, before there is a deployment to fail. */
export async function createDeployment(
  deps: ApiDeps,
  scope: Scope,
  { body, key }: { readonly body: DeploymentBody; readonly key: string | null },
): Promise<{ readonly deployment: DeploymentRecord; readonly replayed: boolean }> {
  const { environment = DEFAULT_ENVIRONMENT, message = null, timeoutMs = DEADLINE_MS } = body;
  if (!isEnvironmentName(environment)) throw new EngineError("USAGE", `${JSON.stringify(environment)} is not the name of an environment`);
  const { project, request } = await requestOf(deps, scope, { ...body, environment });
  return deps.ledger.createDeployment(scope, {
    project,
    environment,
    request,
    message,
    deadlineMs: timeoutMs,
    idempotency: key === null ? null : { key, requestHash: createHash("sha256").update(JSON.stringify(body)).digest("hex") },
  });
}

interface Asked {
  readonly project: string;
  readonly request: DeploymentRequest;
}

function requestOf(deps: ApiDeps, scope: Scope, body: BodyOf<DeploymentBody["kind"]>): Promise<Asked> {
  if (body.kind === "deploy") return deployRequest(deps, body);
  return body.kind === "rollback" ? rollbackRequest(deps, scope, body) : destroyRequest(deps, scope, body);
}

async function deployRequest(deps: ApiDeps, body: BodyOf<"deploy">): Promise<Asked> {
  const entries = await entriesOf(deps, body.snapshot);
  const { manifest, origin } = readWish(deps, body, entries);
  if (body.project !== undefined && body.project !== manifest.project) {
    throw new EngineError("USAGE", `the request is for the project ${body.project}, its manifest for ${manifest.project}`);
  }
  return { project: manifest.project, request: { ...NOTHING, kind: "deploy", manifest, origin, snapshot: body.snapshot } };
}

async function rollbackRequest({ ledger }: ApiDeps, scope: Scope, body: BodyOf<"rollback">): Promise<Asked> {
  const environment = await findEnvironment(ledger, scope, body);
  const release = await ledger.release(scope, body.release);
  if (release?.environment !== environment.id) {
    throw new EngineError("RELEASE_NOT_FOUND", `${body.project} ${body.environment} has no release ${body.release}`);
  }
  return { project: body.project, request: { ...NOTHING, kind: "rollback", toRelease: release.id } };
}

async function destroyRequest({ ledger }: ApiDeps, scope: Scope, body: BodyOf<"destroy">): Promise<Asked> {
  await findEnvironment(ledger, scope, body);
  return { project: body.project, request: { ...NOTHING, kind: "destroy", withData: body.withData ?? false } };
}

const NOTHING = { manifest: null, snapshot: null, toRelease: null, withData: false } as const;

async function entriesOf({ sources }: ApiDeps, snapshot: string): Promise<readonly SnapshotEntry[]> {
  const found = await sources.getSnapshot(snapshot as `sha256:${string}`);
  if (found) return found.entries;
  throw new EngineError("SNAPSHOT_INCOMPLETE", `the snapshot ${snapshot} is not here; store it first`);
}
