import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { homeLayout } from "../../packages/core/src/config/index.ts";
import { createDispatcher, loadPlugins } from "../../packages/core/src/host/index.ts";
import { localConfig } from "../../packages/core/src/main/local-facts.ts";
import { root } from "./source-file.ts";

const home = mkdtempSync(join(tmpdir(), "helix-plugins-test-"));
const folders = [join(root, "plugins"), join(root, "test/fixtures/plugins")];
const layout = homeLayout(home);
const registry = await loadPlugins({ folders, configOf: (manifest) => localConfig(manifest, { layout, configured: {} }) });
const dispatcher = createDispatcher({ registry, homes: ({ manifest }) => join(home, manifest.name) });

afterAll(async () => {
  await dispatcher.close();
  rmSync(home, { recursive: true, force: true });
});

test("every plugin of the repository can be installed", () => {
  expect(registry.problems.map(({ folder, error }) => `${folder}: ${error.message}`)).toEqual([]);
  expect(registry.list()).toHaveLength(folders.flatMap((folder) => readdirSync(folder)).length);
});

test.each(registry.list().map((plugin) => [plugin.manifest.name, plugin] as const))(
  "the code of %s is what its manifest says",
  async (_, plugin) => {
    await dispatcher.warm(plugin);
  },
);
