import type { FastifyRequest } from "fastify";
import { type SecretPath, secretSegments } from "../../domain/secret-names.ts";
import type { Ledger } from "../../ports/index.ts";
import { scopeOf } from "../types.ts";

/** Where the events of a path's secrets are. A path that is not one is refused, so that no stream has a name of somebody's choice. */
export function secretStream(organization: string, path: SecretPath): string {
  return `secrets:${secretSegments(organization, path).slice(1).join("/")}`;
}

/** Writes down who did what to which names. */
export async function recordUse(
  ledger: Ledger,
  request: Pick<FastifyRequest, "caller">,
  { path, action, names }: { readonly path: SecretPath; readonly action: "set" | "removed" | "pulled"; readonly names: readonly string[] },
): Promise<void> {
  const scope = scopeOf(request);
  const data = { principal: request.caller!.principal, names };
  await ledger.recordEvent(scope, { stream: secretStream(scope.organization, path), type: `secrets.${action}`, data });
}
