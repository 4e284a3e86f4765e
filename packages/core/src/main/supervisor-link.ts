import { setTimeout as sleep } from "node:timers/promises";
import { type SupervisorClient, SupervisorError, startSupervisor } from "@helixstack/supervisor";
import { EngineError } from "../domain/errors.ts";
import type { ServerLogger } from "../telemetry/index.ts";

/** A connection to the home's supervisor that is always there: where the supervisor has died, it is started again. */
export interface SupervisorLink {
  /**
   * Asks the supervisor for something that may be done twice: when it dies before its answer, its successor is asked. Rejects with `UNAVAILABLE` when they
   * die again and again.
   */
  ask<T>(what: string, call: (client: SupervisorClient) => Promise<T>): Promise<T>;
  close(): void;
}

const TRY_AGAIN_MS = 200;
const TRIES = 5;
const PAUSE_MS = 10;

/** Connects, and from then on brings the supervisor back whenever its connection closes. What it kept running is adopted by the new one. */
export function linkSupervisor({ home, logger }: { readonly home: string; readonly logger: ServerLogger }): SupervisorLink {
  let isClosed = false;
  let current: Promise<SupervisorClient> | null = null;
  const client = () => (current ??= connect());
  const connect = async (): Promise<SupervisorClient> => {
    for (;;) {
      try {
        const opened = await startSupervisor({ home, resume: true });
        void opened.closed.then(() => {
          current = null;
          if (!isClosed) void client();
        });
        return opened;
      } catch (error) {
        if (isClosed) throw error;
        logger.error({ err: error }, "the supervisor cannot be started");
        await sleep(TRY_AGAIN_MS);
      }
    }
  };
  void client();
  return {
    async ask(what, call) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await call(await client());
        } catch (thrown) {
          const isGone = thrown instanceof SupervisorError && thrown.code === "UNAVAILABLE";
          if (!isGone) throw thrown;
          if (attempt === TRIES || isClosed) throw new EngineError("UNAVAILABLE", `${what}: ${thrown.message}`, { cause: thrown });
          await sleep(PAUSE_MS);
        }
      }
    },
    close() {
      isClosed = true;
      void current?.then(
        (client) => client.close(),
        () => undefined,
      );
    },
  };
}
