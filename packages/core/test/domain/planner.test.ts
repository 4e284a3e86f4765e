import fc from "fast-check";
import { expect, test } from "vitest";
import type { Manifest, Service } from "../../src/domain/manifest.ts";
import { planDeployment, type LiveService, type LiveState, type PlanInput, type WantedService } from "../../src/domain/planner.ts";
import { buildOrigin, serviceDigest } from "../../src/domain/spec.ts";
import { manifest } from "../support/manifests.ts";

const ARTIFACT = {
  kind: "node-bundle",
  digest: "sha256:aa",
  uri: "file:///a",
  metadata: { start: ["node", "."], env: {}, node: null },
} as const;

function wanted(service: Service, source = "sha256:src1"): WantedService {
  const build = buildOrigin(service, { source, builder: "memory@1", toolchain: "none", platform: "linux/amd64", secrets: [] });
  const specDigest = serviceDigest(service, { inputKey: build.inputKey, runtimeVersion: "1", secrets: [] });
  return { build, runtimeVersion: "1", isRouted: true, secrets: [], specDigest, artifact: null, reuse: null };
}

function liveOf(made: Manifest, changes: Partial<LiveService> = {}): LiveState {
  const services = Object.entries(made.services).map(([name, service]) => {
    const { build, specDigest, runtimeVersion, secrets } = wanted(service);
    const { runtime, delivery } = service;
    const live = { build, artifact: ARTIFACT, runtime, runtimeVersion, delivery, secrets, specDigest, revision: `rev_${name}` };
    return [name, { ...live, drift: null, isReached: true, ...changes }] as const;
  });
  return { manifest: made, services: Object.fromEntries(services) };
}

function plan(made: Manifest, live: LiveState | null = null, changes: Partial<PlanInput> = {}) {
  const all = Object.fromEntries(Object.entries(made.services).map(([name, service]) => [name, wanted(service)]));
  return planDeployment({ manifest: made, wanted: all, live, runsTasks: true, ...changes });
}

const ids = ({ steps }: { steps: readonly { id: string }[] }) => steps.map(({ id }) => id);

test("a first deploy creates everything, needed services first", () => {
  const made = plan(manifest({ api: { needs: ["worker"], tasks: { migrate: "node m.js" } }, worker: {} }));
  expect(made.services.map(({ service, action, handOver }) => [service, action, handOver])).toEqual([
    ["worker", "create", false],
    ["api", "create", false],
  ]);
  expect(made.changes.map(({ service, action, path }) => [service, action, path])).toEqual([
    ["worker", "create", ""],
    ["api", "create", ""],
  ]);
  expect(ids(made)).toEqual(
    `plan policy-plan build:worker build:api policy-artifact reserve:memory task:api:migrate
     apply:worker apply:api verify:worker verify:api policy-release route:memory release`.split(/\s+/),
  );
});

test("the same again changes nothing", () => {
  const made = manifest({ web: { env: { A: "1" } }, site: {} });
  const again = plan(made, liveOf(made));
  expect(again.changes).toEqual([]);
  expect(again.services.every(({ action, artifact }) => action === "keep" && artifact === ARTIFACT)).toBe(true);
  expect(ids(again)).toEqual(["plan", "policy-plan", "release"]);
});

test("a changed variable replaces its service and keeps the other", () => {
  const before = manifest({ web: { env: { GREETING: "hello", OLD: "x" } }, site: {} });
  const after = manifest({ web: { env: { GREETING: "hi", NEW: "y" } }, site: {} });
  const made = plan(after, liveOf(before));
  expect(made.changes).toEqual([
    { service: "web", action: "update", path: "env.GREETING", from: "hello", to: "hi" },
    { service: "web", action: "create", path: "env.NEW", from: null, to: "y" },
    { service: "web", action: "delete", path: "env.OLD", from: "x", to: null },
  ]);
  expect(made.services.map(({ service, action, live }) => [service, action, live])).toEqual([
    ["site", "keep", "rev_site"],
    ["web", "replace", "rev_web"],
  ]);
  expect(ids(made)).not.toContain("apply:site");
});

test("a new service shows all that holds for it, defaults included, as people write it", () => {
  const web = { health: { path: null, timeoutMs: 60_000 }, drainMs: 1500, resources: { memoryBytes: 256 * 2 ** 20, cpu: null } };
  const labels = { forMs: "x" };
  const [change] = plan(manifest({ web: { ...web, labels } }), null).changes;
  expect(change).toMatchObject({ service: "web", action: "create", path: "", from: null });
  expect(change!.to).toMatchObject({
    "health.timeout": "60s",
    drain: "1500ms",
    "resources.memory": "256Mi",
    "labels.forMs": "x",
    replicas: 1,
  });
  expect(Object.keys(change!.to as object)).not.toContain("health.path");
});

test("durations and sizes change in the units of the manifest", () => {
  const sizes = (memoryBytes: number, drainMs: number) => manifest({ web: { drainMs, resources: { memoryBytes, cpu: null } } });
  const { changes } = plan(sizes(2 ** 30, 7_200_000), liveOf(sizes(1000, 180_000)));
  expect(changes.map(({ path, from, to }) => [path, from, to])).toEqual([
    ["drain", "3m", "2h"],
    ["resources.memory", "1000", "1Gi"],
  ]);
});

test("changed source is shown by short digests", () => {
  const made = manifest({ web: {} });
  const { changes } = plan(made, liveOf(made), { wanted: { web: wanted(made.services.web!, "sha256:src2") } });
  expect(changes).toEqual([{ service: "web", action: "update", path: "source", from: "src1", to: "src2" }]);
});

test("the manifest's own words name what changed", () => {
  const before = manifest({ web: { options: { static: { dir: "dist" } } } });
  const web = {
    options: { static: { dir: "out" } },
    drainMs: 1,
    health: { path: "/h", timeoutMs: 1 },
    resources: { memoryBytes: 1, cpu: null },
  };
  const after = manifest({ web }, { rollback: { keep: 2, forMs: 60_000 } });
  expect(plan(after, liveOf(before)).changes.map(({ service, path }) => `${service}:${path}`)).toEqual([
    ":rollback.keep",
    "web:drain",
    "web:health.path",
    "web:health.timeout",
    "web:resources.memory",
    "web:static.dir",
  ]);
});

test("what only concerns routing keeps the revision and makes a release", () => {
  const made = plan(manifest({ web: { drainMs: 1, labels: { owner: "x" } } }), liveOf(manifest({ web: {} })));
  expect(made.services[0]!.action).toBe("keep");
  expect(ids(made)).toEqual(["plan", "policy-plan", "policy-artifact", "policy-release", "route:memory", "release"]);
});

test("drift is a change, and mends itself", () => {
  const made = manifest({ web: {} });
  const exited = plan(made, liveOf(made, { drift: "exited" }));
  expect(exited.changes).toEqual([{ service: "web", action: "update", path: "state", from: "exited", to: "running" }]);
  expect(exited.services[0]!.action).toBe("replace");
  const lost = plan(made, liveOf(made, { revision: null }));
  expect(lost.changes).toEqual([{ service: "web", action: "update", path: "state", from: "gone", to: "running" }]);
  expect(lost.services[0]!.handOver).toBe(false);
  const unrouted = plan(made, liveOf(made, { isReached: false }));
  expect(unrouted.services[0]!.action).toBe("keep");
  expect(ids(unrouted)).toContain("route:memory");
});

test("a removed service leaves the table, also that of a delivery nobody uses any more", () => {
  const before = manifest({ web: {}, old: { delivery: "haproxy" } });
  const made = plan(manifest({ web: {} }), liveOf(before));
  expect(made.removed).toEqual(["old"]);
  expect(made.changes.map(({ service, action, path }) => [service, action, path])).toEqual([["old", "delete", ""]]);
  expect(ids(made).filter((id) => id.startsWith("route"))).toEqual(["route:haproxy", "route:memory"]);
});

test("a single writer is handed over: hold, stop, tasks, start", () => {
  const volumes = { data: { path: "/data", writers: "single" } } as const;
  const before = manifest({ web: { volumes } });
  const made = plan(manifest({ web: { volumes, tasks: { migrate: "x" }, env: { A: "1" } } }), liveOf(before));
  expect(made.services[0]!.handOver).toBe(true);
  expect(ids(made).slice(4)).toEqual(
    "volume:web:data hold:memory halt:web task:web:migrate apply:web verify:web policy-release route:memory release".split(" "),
  );
  const many = { data: { path: "/data", writers: "many" } } as const;
  expect(
    plan(manifest({ web: { volumes: many, env: { A: "1" } } }), liveOf(manifest({ web: { volumes: many } }))).services[0]!.handOver,
  ).toBe(false);
});

test("a rollback builds nothing and runs no task", () => {
  const target = manifest({ web: { tasks: { migrate: "x" } } });
  const want = { ...wanted(target.services.web!), artifact: ARTIFACT, reuse: "rev_old" };
  const made = plan(target, liveOf(manifest({ web: {} })), { wanted: { web: want }, runsTasks: false });
  expect(ids(made)).toEqual("plan policy-plan policy-artifact apply:web verify:web policy-release route:memory release".split(" "));
  expect(made.services[0]).toMatchObject({ reuse: "rev_old", artifact: ARTIFACT });
});

test("services that need each other in a ring are planned all the same", () => {
  const made = plan(manifest({ a: { needs: ["b"] }, b: { needs: ["a"] } }));
  expect(made.services.map(({ service }) => service).toSorted()).toEqual(["a", "b"]);
});

test("whatever changes, steps have unique ids and nothing runs exactly when nothing changes", () => {
  const env = fc.dictionary(fc.constantFrom("A", "B"), fc.constantFrom("1", "2"));
  const some = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.record({ env, drainMs: fc.constantFrom(1, 2) }), { minKeys: 1 });
  fc.assert(
    fc.property(some, some, (from, to) => {
      const [before, after] = [manifest(from), manifest(to)];
      const made = plan(after, liveOf(before));
      expect(new Set(ids(made)).size).toBe(made.steps.length);
      expect(made.steps.at(-1)!.kind).toBe("release");
      expect(made.changes.length === 0).toBe(JSON.stringify(sorted(from)) === JSON.stringify(sorted(to)));
      for (const { service, action } of made.services) {
        expect(ids(made).includes(`apply:${service}`), service).toBe(action !== "keep");
        const isSame = JSON.stringify(sorted(from[service]?.env)) === JSON.stringify(sorted(to[service]?.env));
        expect(action === "keep").toBe(service in from && isSame);
      }
    }),
  );
});

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  return Object.entries(value)
    .map(([key, member]) => [key, sorted(member)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}
