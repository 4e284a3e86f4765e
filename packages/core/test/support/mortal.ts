import { createEngine, type Engine } from "../../src/engine/index.ts";
import type { EngineDeps } from "../../src/engine/deps.ts";

/**
 * An engine that dies at its n-th boundary: before a claim, a commit or a call, which is also after the one before. What it was doing never comes
 * back.
 */
export interface Mortal {
  readonly engine: Engine;
  /** Resolves with the boundary's name when it dies. */
  readonly died: Promise<string>;
  /** Boundaries crossed so far. */
  crossed(): number;
}

export function mortalEngine(deps: EngineDeps, dieAt: number): Mortal {
  let crossed = 0;
  let isDead = false;
  let tell: (boundary: string) => void = () => {};
  const died = new Promise<string>((resolve) => (tell = resolve));
  const never = new Promise<never>(() => {});
  const cross = async (boundary: string) => {
    if (!isDead && ++crossed === dieAt) {
      isDead = true;
      tell(boundary);
    }
    if (isDead) await never;
  };
  const between = async <T>(name: string, effect: () => Promise<T>): Promise<T> => {
    await cross(`before ${name}`);
    return effect();
  };
  const ledger: EngineDeps["ledger"] = {
    ...deps.ledger,
    claim: (job, worker) => between("claim", () => deps.ledger.claim(job, worker)),
    commit: (grip, writes) => between(`commit of ${writes.map(({ write }) => write).join(", ")}`, () => deps.ledger.commit(grip, writes)),
  };
  const dispatcher: EngineDeps["dispatcher"] = {
    call: (call) =>
      READS.has(call.verb) ? deps.dispatcher.call(call) : between(`${call.plane} ${call.verb}`, () => deps.dispatcher.call(call)),
    stream: (call) => deps.dispatcher.stream(call),
  };
  return { engine: createEngine({ ...deps, ledger, dispatcher }), died, crossed: () => crossed };
}

/** Dying there is the same as dying before the commit that follows. */
const READS = new Set(["observe", "toolchain", "list", "hostAddress", "has"]);
