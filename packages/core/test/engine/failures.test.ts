import type { PluginDefinition } from "@helixstack/sdk";
import { PluginError } from "@helixstack/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { EngineError } from "../../src/domain/errors.ts";
import memory from "../../../../plugins/memory/src/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import { manifest } from "../support/manifests.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let bench: Bench;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  bench = await newBench(postgres);
});
afterEach(() => bench.close());

const at = (port: number) => ({ options: { memory: { endpoint: { host: "127.0.0.1", port } } } });

/** Nothing of a failed attempt is left; what served before still does. */
async function expectUntouched(release: string | null): Promise<void> {
  expect((await bench.environment()).liveRelease).toBe(release);
  expect((await bench.environment()).activeDeployment).toBeNull();
  const count = release === null ? [] : ["web serving"];
  expect(await bench.revisions()).toEqual(count);
  expect(await bench.running()).toEqual(release === null ? [] : ["web running"]);
}

test("a build that fails ends the deployment with the builder's last lines", async () => {
  const { release } = await bench.deploy(manifest({ web: {} }));
  bench.dials.onCall = ({ verb }) => {
    if (verb === "build") throw new PluginError("BUILD_FAILED", "npm run build ended with 1", { logs: ["error: no such file"] });
  };
  const failed = await bench.deploy(manifest({ web: {} }), { files: { "index.js": "broken" } });
  expect(failed).toMatchObject({ state: "failed", release: null });
  expect(failed.error).toMatchObject({
    code: "BUILD_FAILED",
    plane: "build",
    plugin: "memory@0.1.0",
    step: "build:web",
    logs: ["error: no such file"],
  });
  await expectUntouched(release);
});

test("a service that never becomes healthy is removed, and its last lines are in the error", async () => {
  const { release } = await bench.deploy(manifest({ web: {} }));
  bench.dials.status = 503;
  const health = { path: "/health", timeoutMs: 100 };
  const failed = await bench.deploy(manifest({ web: { ...at(bench.port), health } }));
  expect(failed.error).toMatchObject({ code: "HEALTH_FAILED", step: "verify:web", logs: ["running"], plugin: "memory@0.1.0" });
  expect(failed.error!.message).toBe(`web did not become healthy within 0.1 s: GET http://127.0.0.1:${bench.port}/health answered 503`);
  await expectUntouched(release);
});

test("without a path any answer below 500 is healthy; with one, only success and redirects", async () => {
  bench.dials.status = 404;
  expect((await bench.deploy(manifest({ web: at(bench.port) }))).state).toBe("live");
  const strict = { ...at(bench.port), health: { path: "/health", timeoutMs: 60 } };
  expect((await bench.deploy(manifest({ web: strict }))).error).toMatchObject({ code: "HEALTH_FAILED" });
  bench.dials.status = 302;
  expect((await bench.deploy(manifest({ web: strict }))).state).toBe("live");
});

test("a port on which nobody listens is said to be one", async () => {
  const failed = await bench.deploy(manifest({ web: { ...at(1), health: { path: null, timeoutMs: 60 } } }));
  expect(failed.error!.message).toContain("GET http://127.0.0.1:1/ was refused: nothing listens there");
  await expectUntouched(null);
});

test("a slow start is waited for", async () => {
  bench.dials.first = [503, 503, 503, 503];
  const deployment = await bench.deploy(manifest({ web: at(bench.port) }));
  expect(deployment.state).toBe("live");
  const verify = (await bench.ledger.steps(bench.scope, deployment.id)).find(({ id }) => id === "verify:web");
  expect(verify!.outcome!["tries"]).toBe(5);
});

test("an application that keeps ending is not waited for", async () => {
  await bench.close();
  bench = await newBench(postgres, { plugins: [crashing] });
  const began = performance.now();
  const failed = await bench.deploy(manifest({ web: { ...at(1), health: { path: null, timeoutMs: 30_000 } } }));
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(failed.error).toMatchObject({ code: "START_FAILED", message: "web ended by itself with exit code 7, 3 times" });
});

test("a task that fails ends the deployment; it is not run again, and nothing else starts", async () => {
  const { release } = await bench.deploy(manifest({ web: {} }));
  const failed = await bench.deploy(manifest({ web: { tasks: { migrate: "exit 3", never: "seed" } } }));
  expect(failed.error).toMatchObject({ code: "TASK_FAILED", step: "task:web:migrate", details: { exitCode: 3 }, logs: ["migrate ran"] });
  expect(bench.calls.filter(({ verb }) => verb === "run")).toHaveLength(1);
  await expectUntouched(release);
});

test("what may pass is tried again, three times in all, with the same operation id", async () => {
  let failures = 0;
  bench.dials.onCall = ({ verb, plane }) => {
    if (plane === "runtime" && verb === "apply" && failures++ < 2) throw new PluginError("UNAVAILABLE", "the engine does not answer");
  };
  const deployment = await bench.deploy(manifest({ web: {} }));
  expect(deployment.state).toBe("live");
  const applied = bench.calls.filter(({ verb, plane }) => plane === "runtime" && verb === "apply");
  expect(new Set(applied.map(({ operationId }) => operationId))).toEqual(new Set([`op_${deployment.id}_apply:web`]));
  const step = (await bench.ledger.steps(bench.scope, deployment.id)).find(({ id }) => id === "apply:web");
  expect(step).toMatchObject({ state: "done", attempt: 3 });
  failures = -10;
  const failed = await bench.deploy(manifest({ web: { env: { A: "1" } } }));
  expect(failed.error).toMatchObject({ code: "UNAVAILABLE", step: "apply:web" });
  expect(
    bench.calls.filter(({ verb, plane, operationId }) => plane === "runtime" && verb === "apply" && operationId.includes(failed.id)),
  ).toHaveLength(3);
});

test("what will not pass is not tried again", async () => {
  bench.dials.onCall = ({ verb, plane }) => {
    if (plane === "runtime" && verb === "apply") throw new PluginError("INVALID_SPEC", "no such option");
  };
  const failed = await bench.deploy(manifest({ web: {} }));
  expect(failed.error).toMatchObject({ code: "INVALID_SPEC" });
  expect(bench.calls.filter(({ verb, plane }) => plane === "runtime" && verb === "apply")).toHaveLength(1);
  await expectUntouched(null);
});

test("a switch that fails goes back to what served, with a higher generation", async () => {
  const { release } = await bench.deploy(manifest({ web: {} }));
  bench.dials.onCall = ({ verb, plane, operationId }) => {
    if (plane === "delivery" && verb === "apply" && !operationId.includes("undo")) throw new PluginError("FORBIDDEN", "not today");
  };
  const failed = await bench.deploy(manifest({ web: { env: { A: "1" } } }));
  expect(failed.error).toMatchObject({ code: "FORBIDDEN", step: "route:memory" });
  const [table] = Object.values((await bench.world()).tables);
  expect(table!.table.generation).toBe(3);
  expect(table!.table.routes[0]!.targets[0]!.release).toBe(release);
  await expectUntouched(release);
});

test("what cannot be taken back at once is not forgotten: the cleanup goes on", async () => {
  let isStuck = true;
  bench.dials.onCall = ({ verb, plane }) => {
    if (plane === "delivery" && verb === "apply") throw new PluginError("FORBIDDEN", "no");
    if (plane === "runtime" && verb === "destroy" && isStuck) throw new PluginError("FORBIDDEN", "stuck");
  };
  const failed = await bench.deploy(manifest({ web: {} }));
  expect(failed.error).toMatchObject({ code: "FORBIDDEN", step: "route:memory" });
  expect(await bench.steps(failed.id)).toContain("undo:apply:web failed");
  expect(await bench.revisions()).toEqual(["web retiring"]);
  isStuck = false;
  await eventually(async () => {
    await bench.work();
    expect(await bench.revisions()).toEqual([]);
  });
  expect(await bench.running()).toEqual([]);
});

test("a bug of ours fails the deployment and says so", async () => {
  bench.dials.onCall = ({ verb }) => {
    if (verb === "toolchain") throw new TypeError("undefined is not a function");
  };
  expect((await bench.deploy(manifest({ web: {} }))).error).toMatchObject({ code: "BUG", step: "plan" });
  await expectUntouched(null);
});

test("a snapshot or an artifact that is not there is named", async () => {
  const { id } = await bench.ask({ manifest: manifest({ web: {} }), snapshot: `sha256:${"0".repeat(64)}` });
  await bench.work();
  expect((await bench.ledger.deployment(bench.scope, id))!.error).toMatchObject({ code: "SNAPSHOT_INCOMPLETE" });
});

test("a builder that makes what the runtime does not take is refused after the build", async () => {
  await bench.close();
  const picky = { ...memory, planes: { ...memory.planes, runtime: { ...memory.planes.runtime!, accepts: ["node-bundle"] } } };
  bench = await newBench(postgres, { plugins: [picky as unknown as PluginDefinition] });
  const failed = await bench.deploy(manifest({ web: { start: null } }));
  expect(failed.error).toMatchObject({
    code: "CHAIN_UNFIT",
    message: "services.web: build memory made static-site, and runtime memory takes node-bundle",
  });
});

test("an error of the ledger is nobody's verdict", async () => {
  let failures = 0;
  bench.dials.onCall = ({ verb }) => {
    if (verb === "toolchain" && failures++ < 2) throw new EngineError("DATABASE_DOWN", "away for a moment");
  };
  expect((await bench.deploy(manifest({ web: {} }))).state).toBe("live");
});

/** The memory plugin, but that every application ends three times with code 7. */
const crashing = {
  ...memory,
  planes: {
    ...memory.planes,
    runtime: {
      ...memory.planes.runtime!,
      async observe(ctx: never, input: never) {
        const observed = await memory.planes.runtime!.observe(ctx, input);
        const lastExit = { code: 7, at: new Date(0).toISOString() };
        return (
          observed && {
            ...observed,
            instances: observed.instances.map((one) => ({ ...one, restarts: 3, phase: "backing-off" as const, lastExit })),
          }
        );
      },
    },
  },
} as unknown as PluginDefinition;
