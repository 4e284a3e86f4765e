import { expect, test } from "vitest";
import { revisionSpec, serviceDigest, buildOrigin } from "../../src/domain/spec.ts";
import { service } from "../support/manifests.ts";

const ARTIFACT = {
  kind: "node-bundle",
  digest: "sha256:aa",
  uri: "file:///a",
  metadata: { start: ["node"], env: {}, node: null },
} as const;
const digest = (changes: Parameters<typeof service>[0]) =>
  serviceDigest(service(changes), { inputKey: "k", runtimeVersion: "1", secrets: [] });

test("what makes a revision what it is changes its digest, what does not leaves it", () => {
  const plain = digest({});
  for (const changes of [
    { env: { A: "1" } },
    { replicas: 2 },
    { tasks: { a: "b" } },
    { needs: ["x"] },
    { health: { path: "/", timeoutMs: 1 } },
  ]) {
    expect(digest(changes), JSON.stringify(changes)).not.toBe(plain);
  }
  for (const changes of [{ labels: { a: "b" } }, { drainMs: 9 }, { source: "./moved" }, { options: { static: { dir: "x" } } }]) {
    expect(digest(changes), JSON.stringify(changes)).toBe(plain);
  }
  expect(digest({ options: { memory: { dir: "x" } } })).not.toBe(plain);
});

test("a build is looked up by all that its result depends on", () => {
  const dependencies = { source: "s", builder: "node@1", toolchain: "node 20", platform: "linux/amd64", secrets: [] };
  const key = (changes: object = {}, made = service()) => buildOrigin(made, { ...dependencies, ...changes }).inputKey;
  const keys = [
    key(),
    key({ source: "t" }),
    key({ builder: "node@2" }),
    key({ toolchain: "node 24" }),
    key({ platform: "linux/arm64" }),
    key({}, service({ start: "x" })),
    key({}, service({ options: { memory: { dir: "x" } } })),
    key({ secrets: [{ name: "T", version: "1" }] }, service({ secrets: [{ name: "T", as: "build" }] })),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(key({}, service({ env: { A: "1" } }))).toBe(key());
  expect(key({ secrets: [{ name: "T", version: "1" }] }, service({ secrets: [{ name: "T", as: "env" }] }))).toBe(key());
});

test("the engine's own variables cannot be overridden, and addresses are of services that are there", () => {
  const spec = revisionSpec({
    names: { project: "shop", environment: "production", service: "web" },
    service: service({ needs: ["a", "b"], env: { HELIX_SERVICE: "other" }, start: "node x" }),
    artifact: ARTIFACT,
    secrets: [],
    volumes: [],
    urls: { a: "http://127.0.0.1:1" },
  });
  expect(spec.env).toEqual({
    HELIX_SERVICE_A_URL: "http://127.0.0.1:1",
    HELIX_PROJECT: "shop",
    HELIX_ENVIRONMENT: "production",
    HELIX_SERVICE: "web",
  });
  expect(spec.command).toBeNull();
});
