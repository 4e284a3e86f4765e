import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RouteTable } from "@helixstack/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { dumpLedger, loadLedger } from "../../src/adapters/postgres/index.ts";
import { digestOf } from "../../src/domain/digest.ts";
import type { DecisionRecord, Ledger } from "../../src/ports/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { manifest } from "../support/manifests.ts";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let bench: Bench;
let tamper: (records: readonly DecisionRecord[]) => readonly DecisionRecord[];
let commit: (commit: Ledger["commit"]) => Ledger["commit"];
beforeAll(async () => void (postgres = await startPostgres()));
afterAll(() => postgres.stop());
beforeEach(async () => {
  tamper = (records) => records;
  commit = (own) => own;
  bench = await newBench(postgres, {
    wrap: (ledger) => ({
      ...ledger,
      decisions: async (...input) => tamper(await ledger.decisions(...input)),
      commit: (...input) => commit(ledger.commit)(...input),
    }),
  });
});
afterEach(() => bench.close());

const DENIED = {
  allow: false,
  findings: [{ rule: "no", level: "mandatory", message: "no", path: "", file: "helix.yaml", line: null, fix: "" }],
  bundle: "sha256:new",
} as const;
const ALLOWED = { allow: true, findings: [], bundle: "none" } as const;
const deny = () => void (bench.dials.decide = () => DENIED);
const first = manifest({ web: {} });
const second = manifest({ web: { env: { A: "1" } } });
const live = async () => (await bench.environment()).liveRelease;
const releasesIn = (table: RouteTable) => table.routes.flatMap(({ targets }) => targets.map(({ release }) => release));
/** Releases that requests are let through to. */
const routed = async () => Object.values((await bench.world()).tables).flatMap(({ table }) => releasesIn(table));
const asked: string[] = [];
/** Notes what is asked, and answers. */
const answer = (decide: Bench["dials"]["decide"]) => {
  asked.length = 0;
  bench.dials.decide = (point, input) => {
    asked.push(`${(input["deployment"] as { kind: string } | null)?.kind} ${point}`);
    return decide(point, input);
  };
};

describe("every road to live", () => {
  test("a deploy asks at three points, and one refusal keeps the old release", async () => {
    const { release } = await bench.deploy(first);
    for (const point of ["plan", "artifact", "release"]) {
      answer((at) => (at === point ? DENIED : ALLOWED));
      expect(await bench.deploy(second)).toMatchObject({ state: "failed", error: { code: "POLICY_DENIED" } });
      expect(await live()).toBe(release);
      expect(asked.at(-1)).toBe(`deploy ${point}`);
    }
  });

  test("a rollback that a person asks for is decided anew, with the time of now", async () => {
    const { release } = await bench.deploy(first);
    await bench.deploy(second);
    const before = Date.now();
    let time = 0;
    answer((_, input) => ((time = Date.parse(String(input["time"]))), DENIED));
    expect(await bench.rollback(release!)).toMatchObject({ state: "failed", error: { code: "POLICY_DENIED" } });
    expect(asked).toEqual(["rollback plan"]);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(await live()).not.toBe(release);
  });

  test("more replicas are a deploy like any other", async () => {
    const { release } = await bench.deploy(first);
    deny();
    expect((await bench.deploy(manifest({ web: { replicas: 3 } }))).state).toBe("failed");
    expect(await live()).toBe(release);
  });

  test("who goes on after a kill asks again before the switch: an allowance of the dead does not count", async () => {
    const { release } = await bench.deploy(first);
    const { digest } = await bench.snapshot({ "index.js": "2" });
    const killed = new AbortController();
    // The end of a step may be written with what comes next: here that is the switch, which does not get to its provider.
    bench.dials.onCall = ({ plane, verb }) => {
      if (plane !== "delivery" || verb !== "apply") return;
      killed.abort();
      throw new Error("the worker dies here");
    };
    const { id } = await bench.ask({ manifest: second, snapshot: digest });
    await bench.work("wrk_a", killed.signal);
    bench.dials.onCall = () => {};
    expect(await bench.steps(id)).toContain("policy-release done");
    answer(() => DENIED);
    const before = bench.calls.length;
    await bench.work("wrk_b");
    expect(asked).toEqual(["deploy release"]);
    const switched = bench.calls.slice(before).filter(({ plane, verb }) => plane === "delivery" && verb === "apply");
    expect(switched.flatMap(({ input }) => releasesIn((input as { table: RouteTable }).table)).filter((one) => one !== release)).toEqual(
      [],
    );
    expect(await bench.ledger.deployment(bench.scope, id)).toMatchObject({ state: "failed", error: { code: "POLICY_DENIED" } });
    expect(await live()).toBe(release);
    expect((await bench.world()).tables).toMatchObject({
      [Object.keys((await bench.world()).tables)[0]!]: { table: { routes: [{ targets: [{ release }] }] } },
    });
  });

  test("who goes on after a kill and is allowed records the decision that counted", async () => {
    const { digest } = await bench.snapshot({ "index.js": "2" });
    const killed = new AbortController();
    answer((point) => {
      if (point === "release") killed.abort();
      return ALLOWED;
    });
    const { id } = await bench.ask({ manifest: first, snapshot: digest });
    await bench.work("wrk_a", killed.signal);
    answer(() => ({ ...ALLOWED, bundle: "sha256:newer" }));
    await bench.work("wrk_b");
    const { release } = (await bench.ledger.deployment(bench.scope, id))!;
    expect(await bench.ledger.release(bench.scope, release!)).toMatchObject({ policyBundle: "sha256:newer" });
  });

  /** Removes what runs, behind the engine's back. */
  const lose = async () => {
    const known = bench.calls.findLast(({ verb, plane }) => verb === "apply" && plane === "runtime")!;
    await bench.deps.dispatcher.call({ ...known, verb: "destroy", input: { prior: null, graceMs: 0 } });
  };

  test("what was lost comes back with the decision that its release was allowed with, whatever the policies say now", async () => {
    const { release, id } = await bench.deploy(first);
    deny();
    await lose();
    expect(await bench.engine.recover(bench.scope)).toHaveLength(1);
    await bench.work();
    expect(await bench.running()).toEqual(["web running"]);
    const own = (await bench.ledger.decisions(bench.scope, id)).find(({ point }) => point === "release")!;
    const told = await bench.ledger.events(bench.scope, { stream: `deployment:${id}`, after: 0, limit: 1000 });
    expect(told.filter(({ type }) => type === "policy.carried").map(({ data }) => data)).toMatchObject([
      { decision: own.id, release, bundle: own.decision.bundle },
    ]);
  });

  test.for([
    ["is gone", () => []],
    [
      "is of another input than was recorded",
      (all: readonly DecisionRecord[]) => all.map((one) => ({ ...one, input: { ...one.input, time: "2020-01-01T00:00:00Z" } })),
    ],
    [
      "is by another bundle",
      (all: readonly DecisionRecord[]) => all.map((one) => ({ ...one, decision: { ...one.decision, bundle: "sha256:other" } })),
    ],
    ["was a refusal", (all: readonly DecisionRecord[]) => all.map((one) => ({ ...one, decision: { ...one.decision, allow: false } }))],
    ["is of another point", (all: readonly DecisionRecord[]) => all.filter(({ point }) => point !== "release")],
  ] as const)("what was lost stays down when the decision %s", async ([, change]) => {
    await bench.deploy(first);
    await lose();
    tamper = change;
    await bench.engine.recover(bench.scope);
    await bench.work();
    expect(await bench.running()).toEqual([]);
  });

  test("going back by itself after a failure carries the old release's decision", async () => {
    const volumes = { data: { path: "/data", writers: "single" } } as const;
    const { release } = await bench.deploy(manifest({ web: { volumes } }));
    answer((point) => (point === "release" ? DENIED : ALLOWED));
    const failed = await bench.deploy(manifest({ web: { volumes, env: { A: "1" } } }));
    expect(failed).toMatchObject({ state: "failed", error: { code: "POLICY_DENIED" } });
    expect(await bench.running()).toEqual(["web running"]);
    const told = await bench.ledger.events(bench.scope, { stream: `deployment:${failed.id}`, after: 0, limit: 1000 });
    expect(told.filter(({ type }) => type === "policy.carried").map(({ data }) => data)).toMatchObject([{ release }]);
  });

  test("going back by itself starts nothing, and lets nobody through, without that decision", async () => {
    const volumes = { data: { path: "/data", writers: "single" } } as const;
    const { release } = await bench.deploy(manifest({ web: { volumes } }));
    tamper = () => [];
    answer((point) => (point === "release" ? DENIED : ALLOWED));
    expect((await bench.deploy(manifest({ web: { volumes, env: { A: "1" } } }))).state).toBe("failed");
    expect(await bench.running()).not.toContain("web running");
    expect(await routed()).not.toContain(release);
  });

  test("going back by itself after the switch lets nobody through without that decision", async () => {
    const { release } = await bench.deploy(first);
    tamper = () => [];
    commit = (own) => async (grip, writes) => {
      if (writes.some(({ write }) => write === "release.create")) throw new Error("no room for the verdict");
      return own(grip, writes);
    };
    expect((await bench.deploy(second)).state).toBe("failed");
    expect(await routed()).not.toContain(release);
    commit = (own) => own;
    tamper = (records) => records;
  });

  test("a decision that cannot be written down is none", async () => {
    const { release } = await bench.deploy(first);
    commit = (own) => async (grip, writes) => {
      if (writes.some(({ write }) => write === "decision.record")) throw new Error("permission denied for table decision");
      return own(grip, writes);
    };
    const refused = await bench.deploy(second);
    expect(refused).toMatchObject({ state: "failed", error: { code: "POLICY_UNAVAILABLE", details: { fault: "decision-log-down" } } });
    expect(await live()).toBe(release);
  });

  test("policies that cannot be asked refuse, and that is written down too", async () => {
    bench.dials.decide = () => {
      throw new Error("no policies here");
    };
    const refused = await bench.deploy(first);
    expect(refused).toMatchObject({ state: "failed", error: { code: "POLICY_UNAVAILABLE" } });
    const [record] = await bench.ledger.decisions(bench.scope, refused.id);
    expect(record).toMatchObject({ decision: { allow: false, error: { code: "POLICY_UNAVAILABLE" } } });
    expect(record!.inputDigest).toBe(digestOf(record!.input));
  });
});

describe("a restore from a backup", () => {
  /** A release, a deployment under way, a backup, a newer release, and the backup again: with policies that allow nothing any more. */
  const restored = async () => {
    const { release, id } = await bench.deploy(first);
    const { digest } = await bench.snapshot({ "index.js": "2" });
    const underWay = await bench.ask({ manifest: second, snapshot: digest });
    const folder = await mkdtemp(join(tmpdir(), "helix-dump-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const dump = await dumpLedger(bench.url, folder);
    await bench.work();
    expect(await live()).not.toBe(release);
    answer(() => DENIED);
    await loadLedger(bench.url, { folder, dump });
    await bench.engine.recover(bench.scope);
    await bench.work();
    return { release: release!, deployment: id, underWay: underWay.id };
  };
  test("brings back what served then with the decision that it was allowed with, and nothing that was under way", async () => {
    const { release, deployment, underWay } = await restored();
    expect(asked).toEqual([]);
    expect(await live()).toBe(release);
    expect(await routed()).toEqual([release]);
    const own = (await bench.ledger.decisions(bench.scope, deployment)).find(({ point }) => point === "release")!;
    const told = await bench.ledger.events(bench.scope, { stream: `deployment:${deployment}`, after: 0, limit: 1000 });
    expect(told.filter(({ type }) => type === "policy.carried").map(({ data }) => data)).toMatchObject([{ decision: own.id, release }]);
    expect(await bench.ledger.deployment(bench.scope, underWay)).toMatchObject({ state: "failed", error: { code: "RESTORED" } });
  });

  test("lets nobody through to a release whose decision is not in the backup", async () => {
    tamper = () => [];
    const { release } = await restored();
    expect(await routed()).not.toContain(release);
  });

  test("is no leave for what comes after it: the next deploy is asked about, and refused", async () => {
    const { release } = await restored();
    expect(await bench.deploy(second)).toMatchObject({ state: "failed", error: { code: "POLICY_DENIED" } });
    expect(asked).toEqual(["deploy plan"]);
    expect(await live()).toBe(release);
  });
});
