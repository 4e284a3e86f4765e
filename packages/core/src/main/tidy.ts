import { toEngineError } from "../domain/errors.ts";
import { dropUnused } from "../engine/drop-unused.ts";
import type { Parts } from "./parts.ts";

/** After the start, when everybody waits for something else, and then now and then. */
const FIRST_MS = 60_000;
const EVERY_MS = 6 * 3_600_000;

/** Drops what nothing refers to and is old enough, until the signal fires. Never rejects: what could not be dropped is logged, and tried again. */
export async function keepTidy({ ledger, engineDeps, settings, logger }: TidyParts, signal: AbortSignal): Promise<void> {
  for (let pauseMs = FIRST_MS; ; pauseMs = EVERY_MS) {
    await engineDeps.clock.sleep(pauseMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const scope = await ledger.ensurePrincipal({ kind: "system", name: "helix" });
      const { freedBytes } = await dropUnused(engineDeps, scope, { olderThanMs: settings.keepUnusedMs });
      if (freedBytes > 0) logger.info({ freedBytes }, "sources and artifacts that nothing refers to are dropped");
    } catch (thrown) {
      logger.warn({ code: toEngineError(thrown).code }, `what nothing refers to could not be dropped: ${toEngineError(thrown).message}`);
    }
  }
}

type TidyParts = Pick<Parts, "ledger" | "engineDeps" | "logger"> & { readonly settings: Pick<Parts["settings"], "keepUnusedMs"> };
