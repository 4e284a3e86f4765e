import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { WakeJob } from "../../src/ports/queue.ts";
import type { Scope } from "../../src/ports/scope.ts";
import { eventually } from "../support/eventually.ts";
import { newDeployment, newLedger } from "../support/ledger.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { claimNext, goLive, intend, newRelease, runningDeployment, wakeUps } from "../support/run.ts";

let postgres: TestPostgres;
let ledger: Ledger;
let scope: Scope;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  ({ ledger, scope } = await newLedger(postgres));
});
afterEach(() => ledger.close());

const job = (grip: { scope: Scope; run: string }): WakeJob => ({ organization: grip.scope.organization, run: grip.run });
const inFuture = (ms: number) => new Date(Date.now() + ms).toISOString();
const takeAway = (grip: Parameters<typeof job>[0] & { worker: string }, limit = 3) =>
  ledger.takeAway(job(grip), { from: grip.worker, limit, reason: "its process is gone" });

describe("claim", () => {
  it("holds the environment and begins the deployment", async () => {
    const { deployment } = await ledger.createDeployment(scope, newDeployment());
    const { grip, run } = await claimNext(ledger);
    expect(grip).toMatchObject({ deployment: deployment.id, environment: deployment.environment, worker: "wrk_a", fence: 1 });
    expect(grip.scope).toEqual(scope);
    expect(run).toMatchObject({ kind: "main", state: "held", worker: "wrk_a", crashes: 0 });
    expect(await ledger.deployment(scope, deployment.id)).toMatchObject({ state: "running", startedAt: expect.any(String) as string });
    expect((await ledger.environment(scope, deployment.environment))!.activeDeployment).toBe(deployment.id);
  });

  it("gives a run to one of many workers", async () => {
    await ledger.createDeployment(scope, newDeployment());
    const [wake] = await wakeUps(ledger);
    const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => ledger.claim(wake!, `wrk_${i}`)));
    expect(claims.filter((claimed) => claimed !== null)).toHaveLength(1);
  });

  it("takes what a worker that ended left behind, and no crash is counted", async () => {
    await ledger.registerWorker({ id: "wrk_a", machine: "m", boot: "b", pid: 1, startTicks: "1", planes: [] });
    const grip = await runningDeployment({ ledger, scope });
    expect(await ledger.claim(job(grip), "wrk_b")).toBeNull();
    await ledger.endWorker("wrk_a");
    const again = await claimNext(ledger, "wrk_b");
    expect(again.grip).toMatchObject({ run: grip.run, fence: 2 });
    expect(again.run.crashes).toBe(0);
    await ledger.createDeployment(scope, newDeployment({ environment: "other" }));
    const [wake] = await wakeUps(ledger);
    expect(await ledger.claim(wake!, "wrk_a")).toBeNull();
  });

  it("knows nothing of a run that is not there", async () => {
    expect(await ledger.claim({ organization: scope.organization, run: "run_none" }, "wrk_a")).toBeNull();
  });
});

describe("commit", () => {
  it("refuses a stale worker, and writes nothing of what it sent", async () => {
    const old = await runningDeployment({ ledger, scope });
    await ledger.commit(old, [intend("build:web")]);
    await takeAway(old);
    const { grip } = await claimNext(ledger, "wrk_b");
    expect(grip.fence).toBe(old.fence + 1);
    const events = await ledger.events(scope, { stream: `deployment:${old.deployment}`, after: 0, limit: 100 });
    const late = ledger.commit(old, [
      { write: "step.end", step: "build:web", state: "done" },
      { write: "event", type: "late", data: {} },
      { write: "deployment.end", state: "live", release: null, cleanupAt: null },
    ]);
    await expect(late).rejects.toMatchObject({ code: "STALE_FENCE" });
    expect(await ledger.steps(scope, old.deployment)).toMatchObject([{ state: "intended" }]);
    expect(await ledger.events(scope, { stream: `deployment:${old.deployment}`, after: 0, limit: 100 })).toEqual(events);
    expect(await ledger.deployment(scope, old.deployment)).toMatchObject({ state: "running" });
    await ledger.commit(grip, [{ write: "step.end", step: "build:web", state: "done" }]);
  });

  it("refuses a worker that shares its id with the holder but has an older fence", async () => {
    const old = await runningDeployment({ ledger, scope });
    await takeAway(old);
    await claimNext(ledger, old.worker);
    await expect(ledger.commit(old, [intend("build:web")])).rejects.toMatchObject({ code: "STALE_FENCE" });
  });

  it("applies all writes or none", async () => {
    const grip = await runningDeployment({ ledger, scope });
    const writes = [intend("build:web"), { write: "step.end", step: "no such step", state: "done" }] as const;
    await expect(ledger.commit(grip, writes)).rejects.toMatchObject({ code: "BUG" });
    expect(await ledger.steps(scope, grip.deployment)).toEqual([]);
  });

  it("journals steps in order, and tells of each change", async () => {
    const grip = await runningDeployment({ ledger, scope });
    await ledger.commit(grip, [intend("build:web")]);
    const error = { code: "BUILD_FAILED", message: "no", hint: "h" };
    await ledger.commit(grip, [{ write: "step.end", step: "build:web", state: "failed", error }, intend("apply:web")]);
    await ledger.commit(grip, [{ ...(intend("build:web") as { write: "step.intend"; step: never }) }]);
    await ledger.commit(grip, [{ write: "step.end", step: "build:web", state: "done", outcome: { artifact: "sha256:1" } }]);
    expect(await ledger.steps(scope, grip.deployment)).toMatchObject([
      { id: "build:web", state: "done", fence: 1, worker: "wrk_a", outcome: { artifact: "sha256:1" }, error: null },
      { id: "apply:web", state: "intended", endedAt: null },
    ]);
    const events = await ledger.events(scope, { stream: `deployment:${grip.deployment}`, after: 2, limit: 100 });
    expect(events.map((event) => event.type)).toEqual(["step.started", "step.failed", "step.started", "step.started", "step.done"]);
    expect(events.map((event) => event.seq)).toEqual([3, 4, 5, 6, 7]);
    expect(events[1]!.data).toMatchObject({ step: "build:web", error: { code: "BUILD_FAILED" } });
  });

  it("brings a release live: frees the environment, readies the next deployment and the cleanup", async () => {
    const grip = await runningDeployment({ ledger, scope });
    const next = await ledger.createDeployment(scope, newDeployment());
    expect(await wakeUps(ledger)).toEqual([]);
    const release = await goLive(ledger, grip, inFuture(-10));
    expect(await ledger.deployment(scope, grip.deployment)).toMatchObject({ state: "live", release });
    expect(await ledger.environment(scope, grip.environment)).toMatchObject({ liveRelease: release, activeDeployment: null });
    expect(await ledger.release(scope, release)).toMatchObject({ number: 1, deployment: grip.deployment, principal: scope.principal });
    const claims = await Promise.all((await wakeUps(ledger)).map((wake) => ledger.claim(wake, "wrk_b")));
    const [cleanup, main] = claims.toSorted((a, b) => a!.run.kind.localeCompare(b!.run.kind));
    expect(cleanup).toMatchObject({ run: { kind: "cleanup" }, grip: { deployment: grip.deployment } });
    expect(main).toMatchObject({ run: { kind: "main" }, grip: { deployment: next.deployment.id } });
    await ledger.commit(cleanup!.grip, [{ write: "run.end" }]);
    await expect(ledger.commit(cleanup!.grip, [{ write: "run.end" }])).rejects.toMatchObject({ code: "STALE_FENCE" });
    const second = await goLive(ledger, main!.grip);
    expect(await ledger.release(scope, second)).toMatchObject({ number: 2 });
    expect((await ledger.listReleases(scope, { environment: grip.environment, limit: 1 })).items).toMatchObject([{ id: second }]);
  });

  it("ends a failed deployment with its error, and what served goes on serving", async () => {
    const first = await runningDeployment({ ledger, scope });
    const release = await goLive(ledger, first);
    const grip = await runningDeployment({ ledger, scope });
    const error = { code: "HEALTH_FAILED", message: "never healthy", hint: "h" };
    await ledger.commit(grip, [{ write: "deployment.compensate", verdict: "failed", error }]);
    expect(await ledger.deployment(scope, grip.deployment)).toMatchObject({ state: "compensating", error });
    await ledger.commit(grip, [{ write: "deployment.end", state: "failed", error, cleanupAt: null }]);
    expect(await ledger.deployment(scope, grip.deployment)).toMatchObject({ state: "failed", error, release: null });
    expect(await ledger.environment(scope, grip.environment)).toMatchObject({ liveRelease: release, activeDeployment: null });
    const types = (await ledger.events(scope, { stream: `environment:${grip.environment}`, after: 0, limit: 100 })).map(
      (event) => event.type,
    );
    expect(types.slice(-4)).toEqual(["deployment.queued", "deployment.running", "deployment.compensating", "deployment.failed"]);
  });

  it("empties an environment with the release null", async () => {
    const grip = await runningDeployment({ ledger, scope });
    await goLive(ledger, grip);
    const destroy = await runningDeployment({ ledger, scope });
    await ledger.commit(destroy, [{ write: "deployment.end", state: "live", release: null, cleanupAt: null }]);
    expect((await ledger.environment(scope, grip.environment))!.liveRelease).toBeNull();
  });

  it("puts a run to sleep until it is due", async () => {
    const grip = await runningDeployment({ ledger, scope });
    await ledger.commit(grip, [{ write: "run.sleep", dueAt: inFuture(300) }]);
    expect(await wakeUps(ledger)).toEqual([]);
    expect(await ledger.claim(job(grip), "wrk_b")).toBeNull();
    await expect(ledger.commit(grip, [])).rejects.toMatchObject({ code: "STALE_FENCE" });
    await eventually(async () => expect(await wakeUps(ledger)).toEqual([job(grip)]));
    expect((await ledger.claim(job(grip), "wrk_b"))!.grip.fence).toBe(2);
  });

  it("lets a cleanup run end no deployment, and a main run end only with a verdict", async () => {
    const grip = await runningDeployment({ ledger, scope });
    await expect(ledger.commit(grip, [{ write: "run.end" }])).rejects.toMatchObject({ code: "BUG" });
    await goLive(ledger, grip, inFuture(-10));
    const cleanup = await claimNext(ledger);
    const verdict = { write: "deployment.end", state: "failed", cleanupAt: null } as const;
    await expect(ledger.commit(cleanup.grip, [verdict])).rejects.toMatchObject({ code: "BUG" });
  });
});

describe("takeAway", () => {
  it("counts crashes until a step gets done, then quarantines and frees the environment", async () => {
    const first = await runningDeployment({ ledger, scope });
    await ledger.commit(first, [intend("build:web")]);
    let grip = first;
    for (const crashes of [1, 2]) {
      await takeAway(grip, 2);
      const again = await claimNext(ledger);
      expect(again.run.crashes).toBe(crashes);
      grip = again.grip;
    }
    await ledger.commit(grip, [{ write: "step.end", step: "build:web", state: "done" }]);
    expect(await ledger.heldRuns()).toEqual([{ ...job(grip), worker: "wrk_a", crashes: 0 }]);
    for (let i = 0; i < 2; i++) {
      await takeAway(grip, 2);
      ({ grip } = await claimNext(ledger));
    }
    await takeAway(grip, 2);
    expect(await ledger.deployment(scope, first.deployment)).toMatchObject({ state: "failed", error: { code: "QUARANTINED" } });
    expect((await ledger.environment(scope, first.environment))!.activeDeployment).toBeNull();
    const cleanup = await claimNext(ledger);
    expect(cleanup).toMatchObject({ run: { kind: "cleanup" }, grip: { deployment: first.deployment } });
  });

  it("asks for a repair of what was live, unless somebody wanted it to be gone", async () => {
    await goLive(ledger, await runningDeployment({ ledger, scope }));
    await takeAway(await runningDeployment({ ledger, scope }), 0);
    const woken = await Promise.all((await wakeUps(ledger)).map((wake) => ledger.claim(wake, "wrk_a")));
    expect(new Set(woken.map((claimed) => claimed?.run.kind))).toEqual(new Set(["cleanup", "repair"]));
    for (const claimed of woken) await ledger.commit(claimed!.grip, [{ write: "run.end" }]);
    const request = { ...newDeployment().request, kind: "destroy", manifest: null } as const;
    await takeAway(await runningDeployment({ ledger, scope }, { request }), 0);
    expect((await claimNext(ledger)).run.kind).toBe("cleanup");
    expect(await wakeUps(ledger)).toEqual([]);
  });

  it("takes nothing from a worker that does not hold the run", async () => {
    const grip = await runningDeployment({ ledger, scope });
    await ledger.takeAway(job(grip), { from: "wrk_other", limit: 3, reason: "gone" });
    await ledger.commit(grip, [intend("build:web")]);
  });
});

describe("requestRepair", () => {
  it("readies one run for a live release, and none beside a deployment", async () => {
    const grip = await runningDeployment({ ledger, scope });
    expect(await ledger.requestRepair(scope, grip.environment)).toBe(false);
    await goLive(ledger, grip);
    const asked = await Promise.all(Array.from({ length: 5 }, () => ledger.requestRepair(scope, grip.environment)));
    expect(asked.filter(Boolean)).toHaveLength(1);
    const [wake] = await wakeUps(ledger);
    const deploying = await runningDeployment({ ledger, scope });
    expect(await ledger.claim(wake!, "wrk_a")).toBeNull();
    await goLive(ledger, deploying);
    const repair = await claimNext(ledger);
    expect(repair).toMatchObject({ run: { kind: "repair" }, grip: { deployment: grip.deployment } });
    await ledger.commit(repair.grip, [intend("repair:apply:web"), { write: "run.end" }]);
    expect(await ledger.requestRepair(scope, grip.environment)).toBe(true);
  });
});

describe("the outbox", () => {
  it("keeps a wake-up whose sending failed or was cut off", async () => {
    await ledger.createDeployment(scope, newDeployment({ environment: "one" }));
    await ledger.createDeployment(scope, newDeployment({ environment: "two" }));
    const sent: WakeJob[] = [];
    const failing = ledger.relayOutbox(10, (wake) => {
      if (sent.length === 1) return Promise.reject(new Error("queue is away"));
      sent.push(wake);
      return Promise.resolve();
    });
    await expect(failing).rejects.toThrow("queue is away");
    const rest = await wakeUps(ledger);
    expect(rest).toHaveLength(1);
    expect(rest[0]).not.toEqual(sent[0]);
  });

  it("sends each wake-up once through several relays", async () => {
    for (let i = 0; i < 12; i++) await ledger.createDeployment(scope, newDeployment({ environment: `e${i}` }));
    const seen: string[] = [];
    const relay = () => ledger.relayOutbox(3, (wake) => Promise.resolve(void seen.push(wake.run)));
    while ((await Promise.all([relay(), relay(), relay()])).some((count) => count > 0));
    expect(seen).toHaveLength(12);
    expect(new Set(seen).size).toBe(12);
  });

  it("gives runs whose wake-up was lost once in a while", async () => {
    await ledger.createDeployment(scope, newDeployment());
    expect(await ledger.overdueRuns(60_000)).toEqual([]);
    const lost = await wakeUps(ledger);
    await eventually(async () => expect(await ledger.overdueRuns(50)).toEqual(lost));
    expect(await ledger.overdueRuns(50)).toEqual([]);
    await eventually(async () => expect(await ledger.overdueRuns(50)).toEqual(lost));
    await ledger.claim(lost[0]!, "wrk_a");
    expect(await ledger.overdueRuns(0)).toEqual([]);
  });

  it("calls back for what is put now, and when what was put for later becomes due", async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const relay = () => void ledger.relayOutbox(10, (wake) => Promise.resolve(void seen.push(wake.run))).catch(() => {});
    await ledger.watchOutbox(stop.signal, relay);
    await ledger.createDeployment(scope, newDeployment());
    await eventually(() => expect(seen).toHaveLength(1), 2_000);
    const { grip } = (await ledger.claim({ organization: scope.organization, run: seen[0]! }, "wrk_a"))!;
    await ledger.commit(grip, [{ write: "run.sleep", dueAt: inFuture(400) }]);
    await eventually(() => expect(seen).toHaveLength(2), 2_000);
    stop.abort();
  });
});

it("numbers releases without gaps though a commit in between was refused", async () => {
  const grip = await runningDeployment({ ledger, scope });
  const { create } = newRelease();
  await expect(ledger.commit(grip, [create, { write: "run.end" }])).rejects.toThrow();
  const release = await goLive(ledger, grip);
  expect(await ledger.release(scope, release)).toMatchObject({ number: 1 });
});
