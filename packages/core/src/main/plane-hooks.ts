import type { PlaneHooks } from "../api/index.ts";
import type { Scope } from "../ports/index.ts";
import { ensureDaemons } from "./daemons.ts";
import { planeProcesses } from "./local-plane.ts";
import type { Parts } from "./parts.ts";
import { returnWithStore } from "./return-with-store.ts";
import { suspendAll } from "./suspend-all.ts";
import type { RunningWorker } from "./worker.ts";

/** What the API may do with the local plane. */
export function planeHooks(parts: Parts, { worker, scope }: { readonly worker: RunningWorker; readonly scope: Scope }): PlaneHooks {
  const { plugins, supervisor, dispatcher, logger } = parts;
  const late = returnWithStore({ parts, engine: worker.engine, scope });
  const withDaemons = () => plugins.list().filter(({ manifest }) => manifest.daemons.length > 0);
  return {
    async up() {
      await Promise.all(withDaemons().map((plugin) => ensureDaemons(plugin, supervisor)));
      const repaired = await worker.engine.recover(scope);
      if (repaired.length === 0) return;
      logger.info({ environments: repaired }, "what was live is brought back");
      // Not all of it may have been possible: what needs secrets needs their store.
      late.begin();
    },
    down: () => suspendAll(parts, scope),
    async processes() {
      const hosts = dispatcher.hosts().map(({ pid }) => ({ role: "plugin-host", pid }));
      return [...(await supervisor.ask("list processes", planeProcesses)), ...hosts];
    },
  };
}
