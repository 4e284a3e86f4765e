import type { PluginManifest } from "@helixstack/sdk";
import { expect, test } from "vitest";
import { checkChain, type KnownVolume } from "../../src/domain/chain.ts";
import type { Manifest } from "../../src/domain/manifest.ts";
import { manifest, pluginManifest } from "../support/manifests.ts";

const PLUGINS: Record<string, PluginManifest> = {
  memory: pluginManifest({ name: "memory" }),
  images: pluginManifest({ name: "images", produces: ["oci-image"] }),
  bot: pluginManifest({ name: "bot", exposes: "none" }),
  raw: pluginManifest({ name: "raw", exposes: "tcp" }),
  bare: pluginManifest({ name: "bare", capabilities: [] }),
  stuck: pluginManifest({ name: "stuck", capabilities: ["runtime.ensureVolume"] }),
};

function check(made: Manifest, volumes: readonly KnownVolume[] = []): string | null {
  try {
    checkChain(made, { find: (_, name) => PLUGINS[name]!, volumes });
    return null;
  } catch (thrown) {
    return `${(thrown as { code: string }).code}: ${(thrown as Error).message}`;
  }
}

test("what fits is let through", () => {
  const volumes = { data: { path: "/data", writers: "single" } } as const;
  expect(
    check(manifest({ web: { needs: ["worker"], volumes, tasks: { migrate: "x" } }, worker: { runtime: "bot", replicas: 3 } })),
  ).toBeNull();
});

test.each([
  [{ web: { build: "images" } }, "CHAIN_UNFIT: services.web: build images makes oci-image, and runtime memory takes node-bundle"],
  [{ web: { runtime: "raw" } }, "CHAIN_UNFIT: services.web: runtime raw exposes tcp, and delivery memory routes http"],
  [{ web: { runtime: "bare", tasks: { migrate: "x" } } }, "CHAIN_UNFIT: services.web: it has tasks, and runtime bare cannot run any"],
  [{ web: { needs: ["worker"] } }, "CHAIN_UNFIT: services.web: it needs worker, and there is no such service"],
  [{ web: { needs: ["web"] } }, "CHAIN_UNFIT: services.web: it needs itself"],
])("what does not fit is refused in one sentence: %j", (services, message) => {
  expect(check(manifest(services))).toBe(message);
});

test("a single writer stays single", () => {
  const volumes = { data: { path: "/data", writers: "single" } } as const;
  expect(check(manifest({ web: { volumes, replicas: 2 } }))).toContain("2 replicas would write to volume data");
  expect(check(manifest({ web: { volumes, runtime: "stuck" } }))).toContain("cannot stop the old one for the new");
  expect(check(manifest({ web: { volumes, runtime: "bare" } }))).toContain("it has volumes");
});

test("data does not move to a runtime that cannot use it", () => {
  const made = manifest({ web: { volumes: { data: { path: "/data", writers: "single" } } } });
  const volume = { service: "web", name: "data", plugin: "fly", kind: "fly-volume" };
  expect(check(made, [volume])).toContain("volume data is kept by fly as fly-volume");
  expect(check(made, [{ ...volume, kind: "host-path" }])).toBeNull();
  expect(check(made, [{ ...volume, plugin: "memory" }])).toBeNull();
  expect(check(made, [{ ...volume, name: "old" }])).toBeNull();
});
