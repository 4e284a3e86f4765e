import {
  type BuildPlane,
  type Change,
  type Detection,
  type DeliveryPlane,
  type LogLine,
  type ObservedRevision,
  type ObservedTable,
  type Owned,
  type PlaneName,
  type RuntimePlane,
  requiredVerbs,
} from "@helixstack/sdk";
import { describe, expect, test } from "vitest";
import { answerChecks } from "../../src/host/answer-check.ts";
import { ANSWERS } from "../../src/host/contract-schemas.ts";
import { loadPlugins } from "../../src/host/index.ts";
import { FIXTURES, identity } from "./harness.ts";

type Answer<Plane, Verb extends keyof Plane> = NonNullable<Plane[Verb]> extends (...args: never[]) => Promise<infer A> ? A : never;
type RuntimeAnswer<Verb extends keyof RuntimePlane> = Answer<RuntimePlane<unknown, object>, Verb>;

const instance = {
  phase: "backing-off",
  restarts: 2,
  lastExit: { code: 137, at: "2026-01-01T00:00:00Z" },
  memoryBytes: 5.5,
  cpuSeconds: null,
} as const;
const revision: ObservedRevision<object> = {
  state: {},
  phase: "degraded",
  endpoints: [
    { kind: "http", host: "127.0.0.1", port: 80 },
    { kind: "tcp", host: "::1", port: 1 },
    { kind: "provider-url", url: "https://a.b" },
    { kind: "none" },
  ],
  instances: [instance, { ...instance, lastExit: null }, { ...instance, lastExit: { code: null, at: "x" } }],
  specDigest: null,
};
const route = {
  service: "web",
  hosts: ["a.localhost"],
  port: null,
  bind: [],
  targets: [{ revision: "rev_1", release: null, endpoint: { kind: "none" }, weight: 0.5 }],
  holdMs: 100,
} as const;
const table: ObservedTable<object> = {
  state: {},
  generation: 3,
  table: { generation: 3, routes: [route] },
  addresses: [{ service: "web", url: "http://a.localhost", address: { host: "127.0.0.1", port: 8000 } }],
};
const changes: readonly Change[] = [{ action: "replace", path: "env.A", from: 1, to: { a: null } }];
const owned: readonly Owned[] = [
  { identity, kind: "revision", id: "c0ffee", description: "" },
  { identity: { ...identity, organization: "", project: "", environment: "" }, kind: "volume", id: "/data", description: "" },
];
const line: LogLine = { cursor: "1", at: "2026-01-01T00:00:00Z", stream: "stderr", instance: 0, text: "" };
const detection: Detection = { fits: true, why: "it does", confidence: 50, service: { start: "node ." } };
const bundle: Answer<BuildPlane, "build"> = {
  kind: "node-bundle",
  metadata: { start: ["node", "."], env: { A: "b" }, node: ">=20" },
  image: null,
};

/** An answer of each verb that the contract's types allow, and changes to it that they do not. */
const EXAMPLES: Readonly<Record<string, { good: unknown; bad: readonly unknown[] }>> = {
  "build.toolchain": { good: "node 20" satisfies Answer<BuildPlane, "toolchain">, bad: ["", 20, null] },
  "build.detect": { good: detection, bad: [{ ...detection, confidence: 101 }, { ...detection, why: undefined }, null] },
  "build.build": {
    good: bundle,
    bad: [
      { ...bundle, kind: "static-site" },
      { ...bundle, metadata: { ...bundle.metadata, start: [] } },
      { ...bundle, image: "x" },
    ],
  },
  "build.has": { good: true satisfies Answer<BuildPlane, "has">, bad: ["true", null] },
  "build.prune": { good: { freedBytes: 0 } satisfies Answer<BuildPlane, "prune">, bad: [{ freedBytes: -1 }, {}] },
  "runtime.observe": { good: revision, bad: [{ ...revision, endpoints: [{ kind: "http", host: "h", port: 0 }] }] },
  "runtime.plan": { good: changes, bad: [[{ ...changes[0], action: "remove" }], {}] },
  "runtime.apply": { good: revision, bad: [null, { ...revision, instances: [{ ...instance, restarts: -1 }] }] },
  "runtime.destroy": { good: null, bad: [true, {}] },
  "runtime.list": { good: owned, bad: [[{ ...owned[0], id: "" }], [{ ...owned[0], identity: {} }], null] },
  "runtime.suspend": { good: { ...revision, phase: "frozen" } satisfies RuntimeAnswer<"suspend">, bad: [null] },
  "runtime.logs": {
    good: line,
    bad: [
      { ...line, stream: "stdin" },
      { ...line, cursor: 1 },
    ],
  },
  "runtime.run": {
    good: { exitCode: 0, logs: ["x"] } satisfies RuntimeAnswer<"run">,
    bad: [
      { exitCode: null, logs: [] },
      { exitCode: 0, logs: Array(101).fill("x") },
    ],
  },
  "runtime.hostAddress": { good: { address: "172.17.0.1" } satisfies RuntimeAnswer<"hostAddress">, bad: ["172.17.0.1"] },
  "runtime.ensureVolume": {
    good: { kind: "host-path", id: "/v" } satisfies RuntimeAnswer<"ensureVolume">,
    bad: [null, { kind: "host-path" }],
  },
  "runtime.destroyVolume": { good: null, bad: [{}] },
  "delivery.observe": { good: table, bad: [{ ...table, generation: "3" }] },
  "delivery.plan": { good: [], bad: [null] },
  "delivery.apply": { good: table, bad: [null, { ...table, table: { ...table.table, routes: [{ ...route, weight: 1 }] } }] },
  "delivery.destroy": { good: null, bad: [0] },
  "delivery.list": { good: [], bad: [null] },
  "delivery.drain": {
    good: { closed: 0, waitedMs: 1.5 } satisfies Answer<DeliveryPlane, "drain">,
    bad: [null, { closed: 0.5, waitedMs: 0 }],
  },
  "delivery.stats": {
    good: [{ revision: "r", release: null, requests: 1, failures: 0, inFlight: 0 }] satisfies Answer<DeliveryPlane, "stats">,
    bad: [{}],
  },
};

const verbs = Object.entries(ANSWERS).flatMap(([plane, some]) => Object.keys(some).map((verb) => `${plane}.${verb}`));

describe("the contract's answers", () => {
  test("have a schema for every verb, and an example here", () => {
    expect(Object.keys(EXAMPLES).toSorted()).toEqual(verbs.toSorted());
    for (const plane of ["build", "runtime", "delivery"] as const)
      expect(Object.keys(ANSWERS[plane])).toEqual(expect.arrayContaining([...requiredVerbs(plane)]));
  });

  test.each(verbs)("%s", async (name) => {
    const [plane, verb] = name.split(".") as [PlaneName, string];
    const checks = answerChecks((await loadPlugins({ folders: [FIXTURES] })).get(plane, "faulty"));
    const place = { plane, verb, plugin: "faulty@0.1.0" };
    const { good, bad } = EXAMPLES[name]!;
    expect(checks.problem(place, [JSON.parse(JSON.stringify(good))])).toBeNull();
    for (const answer of bad)
      expect(
        checks.problem(place, [JSON.parse(JSON.stringify(good)), JSON.parse(JSON.stringify(answer))])?.code,
        JSON.stringify(answer),
      ).toBe("PLUGIN_NONSENSE");
    if (verb === "observe") expect(checks.problem(place, [null])).toBeNull();
  });

  test("may hold a state of 64 KiB, no more", async () => {
    const { answerChecks: checksOf } = await import("../../src/host/answer-check.ts");
    const faulty = (await loadPlugins({ folders: [FIXTURES] })).get("runtime", "faulty");
    const runtime = { ...faulty.manifest.planes.runtime!, state: {} };
    const checks = checksOf({ ...faulty, manifest: { ...faulty.manifest, planes: { runtime } } });
    const place = { plane: "runtime", verb: "apply", plugin: "faulty@0.1.0" } as const;
    expect(checks.problem(place, [{ ...revision, state: { text: "x".repeat(60_000) } }])).toBeNull();
    expect(checks.problem(place, [{ ...revision, state: { text: "x".repeat(70_000) } }])?.message).toContain("state has 70011 bytes");
  });
});
