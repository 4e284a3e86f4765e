import { createHash } from "node:crypto";

/** Below the ports that Linux hands out by itself, so that an outgoing connection seldom sits on one. */
const FIRST = 20_000;
const COUNT = 10_000;

/** The ports to try for a service, best first: always the same for the same service, so that a lost state finds the same port again. */
export function* portCandidates(unit: string, service: string): Generator<number> {
  const start = createHash("sha256").update(`${unit}\n${service}`).digest().readUInt32BE(0) % COUNT;
  for (let step = 0; step < COUNT; step += 1) yield FIRST + ((start + step) % COUNT);
}

/** The addresses of a service's port. A wildcard holds all others. */
export function addressesToBind(bind: readonly string[]): readonly string[] {
  const wildcard = bind.find((address) => address === "0.0.0.0" || address === "::");
  return wildcard === undefined ? [...new Set(["127.0.0.1", ...bind])] : [wildcard];
}
