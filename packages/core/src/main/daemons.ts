import type { InstalledPlugin } from "../ports/plugins.ts";
import type { SupervisorLink } from "./supervisor-link.ts";
import { daemonUnit } from "./units.ts";

/** Makes sure that every daemon of a plugin runs, with the configuration that the plugin has now. */
export async function ensureDaemons(plugin: InstalledPlugin, supervisor: SupervisorLink): Promise<void> {
  for (const daemon of plugin.manifest.daemons) {
    const unit = daemonUnit({ plugin, daemon });
    await supervisor.ask(`start ${unit.name}`, (client) => client.ensure(unit));
  }
}
