import type { LiveTarget } from "./live-route.ts";
import { log } from "./log.ts";

/** One line for a request that its target could not answer. */
export function logFailure({ revision, upstream }: LiveTarget, request: Readonly<Record<string, unknown>>): void {
  log("warn", "a target failed", { ...request, revision: revision.id, target: `${upstream.host}:${upstream.port}` });
}
