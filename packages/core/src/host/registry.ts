import type { PlaneName } from "@helixstack/sdk";
import { EngineError } from "../domain/errors.ts";
import { didYouMean } from "../domain/suggest.ts";
import type { InstalledPlugin, PluginRegistry } from "../ports/plugins.ts";
import type { PluginProblem } from "./load-plugins.ts";

export function createRegistry(plugins: readonly InstalledPlugin[], problems: readonly PluginProblem[]): PluginRegistry {
  const byName = new Map(plugins.map((plugin) => [plugin.manifest.name, plugin]));
  return {
    list: () => plugins,
    get(plane, name) {
      const plugin = byName.get(name);
      if (plugin?.manifest.planes[plane]) return plugin;
      const problem = problems.find((one) => one.name === name);
      if (problem && !plugin) throw problem.error;
      throw unknown(plane, { name, isOtherPlane: plugin !== undefined, plugins });
    },
    supports: (name, capability) => byName.get(name)?.manifest.capabilities.includes(capability) ?? false,
  };
}

interface UnknownOptions {
  readonly name: string;
  readonly isOtherPlane: boolean;
  readonly plugins: readonly InstalledPlugin[];
}

function unknown(plane: PlaneName, { name, isOtherPlane, plugins }: UnknownOptions): EngineError {
  const names = plugins.filter(({ manifest }) => manifest.planes[plane]).map(({ manifest }) => manifest.name);
  const what = isOtherPlane ? `the plugin "${name}" has no ${plane} plane` : `no ${plane} plugin is called "${name}"`;
  const there = names.length === 0 ? `no ${plane} plugin is installed` : `there are ${names.join(", ")}`;
  return new EngineError("PLUGIN_UNKNOWN", `${what}; ${there}${didYouMean(name, names)}`, { plane });
}
