import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { digestOf } from "../../src/domain/digest.ts";
import type { DecisionRecord, Ledger } from "../../src/ports/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { manifest } from "../support/manifests.ts";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";

const core = fileURLToPath(new URL("../../src", import.meta.url));
const sources = readdirSync(core, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => ({ path, text: readFileSync(join(core, path), "utf8") }));

/** Where the source has the pattern: the file, and the line's own words. */
function places(pattern: RegExp, folder = "engine/"): readonly string[] {
  const inFolder = sources.filter(({ path }) => path.startsWith(folder));
  return inFolder
    .flatMap(({ path, text }) => text.split("\n").flatMap((line) => (pattern.test(line) ? [`${path}: ${line.trim()}`] : [])))
    .toSorted();
}

describe("the places in the source from which something can go live", () => {
  test("whatever lets requests through shows a clearance; the other tables let nobody new through", () => {
    const calls = sources.flatMap(({ path, text }) =>
      [...text.replace(/\s+/g, " ").matchAll(/(?<!function )switchTable\((.*?\})/g)].map(([, given]) =>
        `${path}: ${/kind: "\w+"/.exec(given!)?.[0]} ${/clearance: await \w+/.exec(given!)?.[0] ?? ""}`.trim(),
      ),
    );
    expect(calls.toSorted()).toEqual([
      'engine/repair-run.ts: kind: "live" clearance: await carryLive',
      'engine/steps/hold.ts: kind: "held"',
      'engine/steps/reserve.ts: kind: "reserved"',
      'engine/steps/route.ts: kind: "next" clearance: await clearNext',
      'engine/steps/unroute.ts: kind: "empty"',
      'engine/tables.ts: kind: "live" clearance: await carryLive',
    ]);
  });

  test("no other call reaches a delivery provider's apply", () => {
    const files = new Set(
      sources.filter(({ path, text }) => path.startsWith("engine/") && /verb: "apply"/.test(text)).map(({ path }) => path),
    );
    expect([...files].toSorted()).toEqual(["engine/repair-run.ts", "engine/steps/apply.ts", "engine/tables.ts", "engine/undo.ts"]);
  });

  test("what was stopped is started again with the decision it carries; what is new starts before it is let through", () => {
    for (const path of ["engine/repair-run.ts", "engine/undo.ts"]) {
      const { text } = sources.find((one) => one.path === path)!;
      expect(text.indexOf("await carryLive(run)")).toBeGreaterThan(0);
      expect(text.indexOf("await carryLive(run)")).toBeLessThan(text.indexOf('verb: "apply"'));
    }
  });

  test("one place writes releases, and it is cleared before it does", () => {
    expect(places(/write: "release\.create", release:/)).toHaveLength(1);
    const { text } = sources.find(({ path }) => path === "engine/steps/release.ts")!;
    expect(text.indexOf("await clearNext(run)")).toBeLessThan(text.indexOf('write: "release.create", release:'));
  });

  test("one place asks the ledger for a deployment, so the API and every command go through the same steps", () => {
    const asking = sources.filter(
      ({ path, text }) =>
        !path.startsWith("adapters/") &&
        !path.startsWith("ports/") &&
        !path.startsWith("telemetry/") &&
        /ledger\.createDeployment\(/.test(text),
    );
    expect(asking.map(({ path }) => path)).toEqual(["api/deployments/create.ts"]);
  });

  test("a clearance is made in one file", () => {
    expect(places(/as Clearance\b/, "")).toEqual(["engine/clearance.ts: return of as Clearance;"]);
  });
});

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
    answer((point) => {
      if (point === "release") killed.abort();
      return ALLOWED;
    });
    const { id } = await bench.ask({ manifest: second, snapshot: digest });
    await bench.work("wrk_a", killed.signal);
    expect(await bench.steps(id)).toContain("policy-release done");
    answer(() => DENIED);
    await bench.work("wrk_b");
    expect(asked).toEqual(["deploy release"]);
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
