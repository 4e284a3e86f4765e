import { type ReadManifestInput, homeLayout, readManifest } from "./config/index.ts";
import { loadPlugins } from "./host/index.ts";
import { localConfig } from "./main/local-facts.ts";
import { pluginFolders } from "./main/plugin-folders.ts";

/**
 * Reads a manifest against the plugins of a home, as its control plane would, where none runs yet: a mistake is told before anything is started.
 * Rejects as `readManifest` does.
 */
export async function checkManifest({ home, ...input }: Omit<ReadManifestInput, "plugins"> & { readonly home: string }): Promise<void> {
  const layout = homeLayout(home);
  const configOf = (manifest: Parameters<typeof localConfig>[0]) => localConfig(manifest, { layout, configured: {} });
  const registry = await loadPlugins({ folders: pluginFolders(home), configOf });
  readManifest({ ...input, plugins: registry.list().map(({ manifest }) => manifest) });
}
