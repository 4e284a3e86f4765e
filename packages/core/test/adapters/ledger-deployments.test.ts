import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { Scope } from "../../src/ports/scope.ts";
import { newDeployment, newLedger } from "../support/ledger.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { claimNext, wakeUps } from "../support/run.ts";

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

describe("createDeployment", () => {
  it("makes project, environment, deployment and a ready run", async () => {
    const { deployment, replayed } = await ledger.createDeployment(scope, newDeployment({ message: "first" }));
    expect(replayed).toBe(false);
    expect(deployment).toMatchObject({ state: "queued", principal: scope.principal, message: "first", plan: null, endedAt: null });
    const environment = await ledger.findEnvironment(scope, { project: "shop", environment: "production" });
    expect(environment).toMatchObject({ id: deployment.environment, liveRelease: null, activeDeployment: null });
    expect(await wakeUps(ledger)).toHaveLength(1);
    expect(Date.parse(deployment.deadlineAt) - Date.parse(deployment.createdAt)).toBe(600_000);
  });

  it("keeps the order of a manifest's keys", async () => {
    const env = { ZEBRA: "1", APPLE: "2", MANGO: "3" };
    const input = newDeployment();
    const manifest = { ...input.request.manifest!, services: { web: { tasks: env } as never } };
    const { deployment } = await ledger.createDeployment(scope, { ...input, request: { ...input.request, manifest } });
    const read = await ledger.deployment(scope, deployment.id);
    expect(Object.keys(read!.request.manifest!.services["web"]!.tasks)).toEqual(["ZEBRA", "APPLE", "MANGO"]);
  });

  it("answers a used idempotency key with the same deployment, and refuses it for another request", async () => {
    const idempotency = { key: "k1", requestHash: "a" };
    const first = await ledger.createDeployment(scope, newDeployment({ idempotency }));
    const second = await ledger.createDeployment(scope, newDeployment({ idempotency }));
    expect(second).toEqual({ deployment: first.deployment, replayed: true });
    const other = ledger.createDeployment(scope, newDeployment({ idempotency: { key: "k1", requestHash: "b" } }));
    await expect(other).rejects.toMatchObject({ code: "IDEMPOTENCY_MISMATCH" });
    const someoneElse = await ledger.ensurePrincipal({ kind: "system", name: "other" });
    expect((await ledger.createDeployment(someoneElse, newDeployment({ idempotency }))).replayed).toBe(false);
  });

  it("makes one deployment of many requests with one key at once", async () => {
    const idempotency = { key: "same", requestHash: "a" };
    const answers = await Promise.all(Array.from({ length: 20 }, () => ledger.createDeployment(scope, newDeployment({ idempotency }))));
    expect(new Set(answers.map((answer) => answer.deployment.id)).size).toBe(1);
    expect(answers.filter((answer) => !answer.replayed)).toHaveLength(1);
  });

  it("supersedes what is queued, and leaves what runs", async () => {
    const first = await ledger.createDeployment(scope, newDeployment());
    const running = await claimNext(ledger);
    expect(running.grip.deployment).toBe(first.deployment.id);
    const second = await ledger.createDeployment(scope, newDeployment());
    const third = await ledger.createDeployment(scope, newDeployment());
    expect(await ledger.deployment(scope, first.deployment.id)).toMatchObject({ state: "running" });
    expect(await ledger.deployment(scope, second.deployment.id)).toMatchObject({
      state: "superseded",
      supersededBy: third.deployment.id,
      error: { code: "SUPERSEDED" },
    });
    expect(await wakeUps(ledger)).toEqual([]);
    await ledger.commit(running.grip, [{ write: "deployment.end", state: "failed", cleanupAt: null }]);
    expect((await claimNext(ledger)).grip.deployment).toBe(third.deployment.id);
  });

  it("lets one deployment hold an environment, however many come at once", async () => {
    const created = await Promise.all(Array.from({ length: 50 }, () => ledger.createDeployment(scope, newDeployment())));
    const jobs = await wakeUps(ledger);
    const claims = await Promise.all(jobs.flatMap((job) => [ledger.claim(job, "wrk_a"), ledger.claim(job, "wrk_b")]));
    const held = claims.filter((claimed) => claimed !== null);
    expect(held).toHaveLength(1);
    const states = await Promise.all(created.map(async ({ deployment }) => (await ledger.deployment(scope, deployment.id))!.state));
    expect(states.filter((state) => state === "running")).toHaveLength(1);
    expect(states.filter((state) => state === "superseded")).toHaveLength(49);
    expect(await ledger.listProjects(scope)).toHaveLength(1);
  });
});

describe("lists", () => {
  it("reads deployments newest first, page by page, by environment and by project", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift((await ledger.createDeployment(scope, newDeployment())).deployment.id);
    await ledger.createDeployment(scope, newDeployment({ project: "other" }));
    const environment = (await ledger.findEnvironment(scope, { project: "shop", environment: "production" }))!.id;
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await ledger.listDeployments(scope, { limit: 2, cursor, environment });
      seen.push(...page.items.map((deployment) => deployment.id));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toEqual(ids);
    expect((await ledger.listDeployments(scope, { limit: 10, project: "shop" })).items).toHaveLength(5);
    expect((await ledger.listDeployments(scope, { limit: 10 })).items).toHaveLength(6);
    expect((await ledger.listDeployments(scope, { limit: 10, project: "nothing" })).items).toEqual([]);
  });

  it("shows nothing of another organization", async () => {
    const { deployment } = await ledger.createDeployment(scope, newDeployment());
    const stranger: Scope = { organization: "org_other", principal: scope.principal };
    expect(await ledger.deployment(stranger, deployment.id)).toBeNull();
    expect((await ledger.listDeployments(stranger, { limit: 10 })).items).toEqual([]);
    expect(await ledger.listEnvironments(stranger)).toEqual([]);
    await expect(ledger.requestCancel(stranger, deployment.id)).rejects.toMatchObject({ code: "DEPLOYMENT_NOT_FOUND" });
    expect(await ledger.events(stranger, { stream: `deployment:${deployment.id}`, after: 0, limit: 10 })).toEqual([]);
  });
});

describe("requestCancel", () => {
  it("ends a queued deployment at once", async () => {
    const { deployment } = await ledger.createDeployment(scope, newDeployment());
    const cancelled = await ledger.requestCancel(scope, deployment.id);
    expect(cancelled).toMatchObject({ state: "cancelled", cancelRequestedBy: scope.principal, error: { code: "CANCELLED" } });
    await expect(claimNext(ledger)).rejects.toThrow("nothing to claim");
    await expect(ledger.requestCancel(scope, deployment.id)).rejects.toMatchObject({ code: "DEPLOYMENT_ENDED" });
  });

  it("asks a running deployment to stop, and tells its stream once", async () => {
    const { deployment } = await ledger.createDeployment(scope, newDeployment());
    await claimNext(ledger);
    expect(await ledger.requestCancel(scope, deployment.id)).toMatchObject({ state: "running", cancelRequestedBy: scope.principal });
    await ledger.requestCancel(scope, deployment.id);
    const events = await ledger.events(scope, { stream: `deployment:${deployment.id}`, after: 0, limit: 100 });
    expect(events.map((event) => event.type)).toEqual(["deployment.queued", "deployment.running", "deployment.cancel-requested"]);
  });
});
