import type { ServiceAddress } from "@helixstack/sdk";
import { plainFinding } from "../../domain/finding.ts";
import { type Origin, nearestLine } from "../../domain/origin.ts";
import type { DeploymentRecord, Finding, ReleaseRecord, Scope } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import type { DeploymentResult, ServiceResult } from "../documents.ts";

type Deps = Pick<ApiDeps, "ledger">;

/** What a deployment came to. Before its end: what is known so far, with its status. Only one that is live has services. */
export async function deploymentResult({ ledger }: Deps, scope: Scope, record: DeploymentRecord): Promise<DeploymentResult> {
  const { id, request, state, noChange, release: releaseId, environment, error } = record;
  const [release, place, tables, decisions] = await Promise.all([
    state === "live" && releaseId ? ledger.release(scope, releaseId) : null,
    ledger.environment(scope, environment),
    ledger.routeTables(scope, { environment }),
    ledger.decisions(scope, id),
  ]);
  const addresses = tables.flatMap((table) => table.addresses);
  const findings = decisions.flatMap(({ decision }) => decision.findings);
  return {
    deployment: { id, kind: request.kind, status: state, noChange },
    release: releaseId === null ? null : { id: releaseId },
    services: release ? serviceResults(release, { environment: place?.name ?? "", addresses }) : [],
    findings: distinct(findings).map((finding) => placed(plainFinding(finding), request.origin)),
    error,
  };
}

/** The services of a release and where they answer. */
export function serviceResults(
  release: ReleaseRecord,
  { environment, addresses }: { readonly environment: string; readonly addresses: readonly ServiceAddress[] },
): readonly ServiceResult[] {
  return Object.entries(release.services).map(([name, { runtime, artifact }]) => {
    const found = addresses.find(({ service }) => service === name);
    const { kind, digest } = artifact;
    return { name, environment, url: found?.url ?? null, address: found?.address ?? null, runtime, artifact: { kind, digest } };
  });
}

/** Three decision points may say the same thing. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [`${finding.rule} ${finding.path} ${finding.message}`, finding])).values()];
}

/** A policy knows the path in the manifest; the file's lines were kept with the request. */
export function placed(finding: Finding, origin: Origin | undefined): Finding {
  if (finding.line !== null || !origin) return finding;
  return { ...finding, file: origin.file, line: nearestLine(origin.lines, finding.path) };
}
