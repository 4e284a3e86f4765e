import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../engine/index.ts";
import type { Scope } from "../ports/index.ts";
import type { Parts } from "./parts.ts";

/** Milliseconds between looks at a secret store that is away. */
const PAUSE_MS = 3_000;
/** Times that what is missing is asked for then: a repair that began without the store may still be at it. */
const ROUNDS = 3;

export interface ReturnOptions {
  readonly parts: Pick<Parts, "secrets" | "logger">;
  readonly engine: Pick<Engine, "recover">;
  readonly scope: Scope;
}

/**
 * Brings services back that could not be started because the secret store was away: after a restart of the machine the secrets in memory are gone, and only the
 * store has them. Looks every three seconds, for as long as it takes; once it answers, what is missing is asked for again. `begin` does nothing while a watch is
 * under way.
 */
export function returnWithStore({ parts: { secrets, logger }, engine, scope }: ReturnOptions): { begin(): void } {
  let isWatching = false;
  const watch = async () => {
    for (let isAway = true; isAway;) {
      await sleep(PAUSE_MS, undefined, { ref: false });
      const problem = await secrets.check().then(
        () => null,
        (error: Error) => error.message,
      );
      isAway = problem !== null;
      if (problem !== null) logger.warn({ error: problem }, "services that need secrets wait for the secret store");
    }
    for (let round = 0; round < ROUNDS; round++) {
      const repaired = await engine.recover(scope);
      if (repaired.length > 0) logger.info({ environments: repaired }, "what waited for the secret store is brought back");
      await sleep(PAUSE_MS, undefined, { ref: false });
    }
  };
  return {
    begin() {
      if (isWatching) return;
      isWatching = true;
      void watch()
        .catch((error: unknown) => logger.warn({ err: error }, "what waited for the secret store could not be looked at"))
        .finally(() => (isWatching = false));
    },
  };
}
