import { createHash } from "node:crypto";

export interface PortRange {
  readonly first: number;
  readonly count: number;
}

/** The ports to try for a service, best first: always the same for the same service, so that a lost state finds the same port again. */
export function* portCandidates(
  { first, count }: PortRange,
  { unit, service }: { readonly unit: string; readonly service: string },
): Generator<number> {
  const start = createHash("sha256").update(`${unit}\n${service}`).digest().readUInt32BE(0) % count;
  for (let step = 0; step < count; step += 1) yield first + ((start + step) % count);
}

/** The addresses of a service's port. A wildcard holds all others. */
export function addressesToBind(bind: readonly string[]): readonly string[] {
  const wildcard = bind.find((address) => address === "0.0.0.0" || address === "::");
  return wildcard === undefined ? [...new Set(["127.0.0.1", ...bind])] : [wildcard];
}
