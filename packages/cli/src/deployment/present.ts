import { EngineError, type DeploymentResult, type ServiceResult } from "@helixstack/core/client";
import type { Cli } from "../cli.ts";
import { Failure, fromDocument } from "../failure.ts";
import { findingsNote } from "../output/findings.ts";
import { columns } from "../output/table.ts";
import { span } from "../output/time.ts";
import { shownStatus } from "./status-word.ts";

/** Prints what a deployment came to. Throws the failure of one that did not go live, with the exit code that belongs to it. */
export function presentResult(cli: Cli, result: DeploymentResult, { sinceMs }: { readonly sinceMs: number }): void {
  if (result.deployment.status !== "live") throw failureOf(result);
  const { error: _, ...document } = result;
  cli.result({ ...document, deployment: shownStatus(result.deployment) }, () => urlLines(result.services));
  const findings = result.deployment.noChange ? "" : findingsNote(result.findings ?? [], cli.err.colors);
  if (findings !== "") cli.note(findings);
  cli.note(closing(cli, result, span(performance.now() - sinceMs)));
}

/** One service: its URL alone, so that it can be piped. Several: name and URL. */
function urlLines(services: readonly ServiceResult[]): string {
  const reachable = services.filter(({ url }) => url !== null);
  if (reachable.length === 1 && services.length === 1) return reachable[0]!.url!;
  return columns(reachable.map(({ name, url }) => [name, url!]));
}

function closing({ err: { colors } }: Cli, result: DeploymentResult, time: string): string {
  const { services } = result;
  const addresses = services.flatMap(({ name, address }) =>
    address ? [`  ${services.length > 1 ? `${name} also ` : "also "}at http://${address.host}:${address.port}`] : [],
  );
  const next = services.length > 0 ? [colors.dim("  next: helix status, helix logs -f, helix rollback")] : [];
  return [`${colors.green("✓")} ${whatHappened(result, time)}`, ...addresses, ...next].join("\n");
}

function whatHappened({ deployment: { kind, noChange }, release }: DeploymentResult, time: string): string {
  if (kind === "destroy" || release === null) return `removed in ${time}`;
  return noChange ? `nothing changed; release ${release.id} goes on` : `live as ${release.id} in ${time}`;
}

function failureOf(result: DeploymentResult): Failure {
  const { error: _, ...document } = result;
  return new Failure(errorOf(result), document);
}

/** Why a deployment did not go live. */
export function errorOf({ deployment: { id, status }, error }: DeploymentResult): EngineError {
  if (error) return fromDocument(error);
  if (status === "superseded") return new EngineError("SUPERSEDED", `A newer deployment took the place of ${id}.`);
  if (status === "cancelled") return new EngineError("CANCELLED", `Deployment ${id} was cancelled.`);
  return new EngineError("BUG", `Deployment ${id} ended as ${status} and does not say why.`, { hint: `Look at \`helix inspect ${id}\`.` });
}
