import { setTimeout as sleep } from "node:timers/promises";
import { type SupervisorClient, startSupervisor } from "@helixstack/supervisor";
import type { ServerLogger } from "../telemetry/index.ts";

/** A connection to the home's supervisor that is always there: where the supervisor has died, it is started again. */
export interface SupervisorLink {
  /** The living connection. */
  client(): Promise<SupervisorClient>;
  close(): void;
}

const TRY_AGAIN_MS = 200;

/** Connects, and from then on brings the supervisor back whenever its connection closes. What it kept running is adopted by the new one. */
export function linkSupervisor({ home, logger }: { readonly home: string; readonly logger: ServerLogger }): SupervisorLink {
  let isClosed = false;
  let current: Promise<SupervisorClient> | null = null;
  const connect = async (): Promise<SupervisorClient> => {
    for (;;) {
      try {
        const client = await startSupervisor({ home, resume: true });
        void client.closed.then(() => {
          current = null;
          if (!isClosed) void link.client();
        });
        return client;
      } catch (error) {
        if (isClosed) throw error;
        logger.error({ err: error }, "the supervisor cannot be started");
        await sleep(TRY_AGAIN_MS);
      }
    }
  };
  const link: SupervisorLink = {
    client: () => (current ??= connect()),
    close() {
      isClosed = true;
      void current?.then(
        (client) => client.close(),
        () => undefined,
      );
    },
  };
  void link.client();
  return link;
}
