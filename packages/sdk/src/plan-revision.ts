import { type Change, specDigest } from "./reconciler.ts";
import type { ObservedRevision, RevisionSpec } from "./runtime.ts";

/**
 * The `plan` of a runtime that tags what it starts with {@link specDigest} and replaces it when that changes: create, replace, more or
 * fewer instances, or back to running. Pure.
 *
 * @example planRevision({ spec, observed: null }) // [{ action: "create", path: "", from: null, to: "sha256:..." }]
 */
export function planRevision({
  spec,
  observed,
}: {
  readonly spec: RevisionSpec;
  readonly observed: ObservedRevision | null;
}): readonly Change[] {
  if (!observed) return [{ action: "create", path: "", from: null, to: spec.artifact.digest }];
  const wanted = specDigest(spec);
  if (observed.specDigest !== wanted) return [{ action: "replace", path: "", from: observed.specDigest, to: wanted }];
  if (observed.instances.length !== spec.replicas)
    return [{ action: "update", path: "replicas", from: observed.instances.length, to: spec.replicas }];
  return observed.phase === "running" ? [] : [{ action: "update", path: "phase", from: observed.phase, to: "running" }];
}
