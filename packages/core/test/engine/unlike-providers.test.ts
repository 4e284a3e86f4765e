import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import type { BuildPlane, DeliveryPlane, PluginDefinition, RuntimePlane } from "@helixstack/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import memory from "../../../../plugins/memory/src/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { manifest } from "../support/manifests.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
let postgres: TestPostgres;
let bench: Bench;
let server: Server;
let isImageThere = true;

/** Makes images that it keeps itself, and runs them on another network of this machine. */
const engine = {
  ...memory,
  name: "engine",
  planes: {
    build: {
      ...memory.planes.build!,
      produces: ["oci-image"],
      build: async () => ({
        kind: "oci-image",
        metadata: { user: "node", sizeBytes: 1, base: [] },
        image: { uri: "engine-image:a", digest: DIGEST },
      }),
      has: async () => isImageThere,
    } satisfies BuildPlane,
    runtime: {
      ...memory.planes.runtime!,
      exposes: "tcp",
      hostAddress: async () => ({ address: "172.17.0.1" }),
      async apply(ctx, input) {
        const observed = await memory.planes.runtime!.apply(ctx, input);
        const { port } = server.address() as AddressInfo;
        return { ...observed, endpoints: [{ kind: "tcp", host: "127.0.0.1", port }] };
      },
      async observe(ctx, input) {
        const observed = await memory.planes.runtime!.observe(ctx, input);
        const { port } = server.address() as AddressInfo;
        return observed && { ...observed, endpoints: [{ kind: "tcp", host: "127.0.0.1", port }] };
      },
    } satisfies RuntimePlane,
    delivery: { ...memory.planes.delivery!, routes: ["tcp"] } satisfies DeliveryPlane,
  },
} as unknown as PluginDefinition;

beforeAll(async () => {
  postgres = await startPostgres();
  server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.close();
  await postgres.stop();
});
beforeEach(async () => {
  isImageThere = true;
  bench = await newBench(postgres, { plugins: [memory as unknown as PluginDefinition, engine] });
});
afterEach(() => bench.close());

const ON_ENGINE = { build: "engine", runtime: "engine", delivery: "engine" };

test("an image is named by its builder, and the manifest's start command replaces its own", async () => {
  const deployment = await bench.deploy(manifest({ web: { ...ON_ENGINE, start: "A=1 node server.js" } }));
  expect(deployment.error).toBeNull();
  const release = (await bench.ledger.release(bench.scope, deployment.release!))!;
  expect(release.services["web"]!.artifact).toMatchObject({ kind: "oci-image", digest: DIGEST, uri: "engine-image:a" });
  const applied = bench.calls.find(({ plane, verb }) => plane === "runtime" && verb === "apply")!;
  expect(applied.input).toMatchObject({ spec: { command: ["node", "server.js"], env: { A: "1" } } });
});

test("an image that its builder has lost is built again", async () => {
  await bench.deploy(manifest({ web: ON_ENGINE }));
  await bench.deploy(manifest({ web: { ...ON_ENGINE, env: { A: "1" } } }));
  expect(bench.calls.filter(({ verb }) => verb === "build")).toHaveLength(1);
  isImageThere = false;
  await bench.deploy(manifest({ web: { ...ON_ENGINE, env: { A: "2" } } }));
  expect(bench.calls.filter(({ verb }) => verb === "build")).toHaveLength(2);
});

test("a tcp endpoint is healthy when it takes a connection", async () => {
  const deployment = await bench.deploy(manifest({ web: ON_ENGINE }));
  expect(deployment.state).toBe("live");
  const [table] = await bench.ledger.routeTables(bench.scope, {});
  expect(table!.table!.routes[0]!.targets[0]!.endpoint.kind).toBe("tcp");
});

test("a service on another network is reached under the address that this network has for the machine", async () => {
  const deployment = await bench.deploy(manifest({ web: { ...ON_ENGINE, needs: ["worker"] }, worker: { delivery: "memory" } }));
  expect(deployment.error).toBeNull();
  expect(await bench.steps(deployment.id)).toEqual(
    expect.arrayContaining(["reserve:memory done", "route:engine done", "route:memory done"]),
  );
  const tables = await bench.ledger.routeTables(bench.scope, {});
  const worker = tables.find(({ plugin }) => plugin === "memory")!;
  expect(worker.table!.routes).toMatchObject([{ service: "worker", bind: ["172.17.0.1"] }]);
  const web = (await bench.ledger.listRevisions(bench.scope, {})).find(({ service }) => service === "web")!;
  expect(web.spec.env["HELIX_SERVICE_WORKER_URL"]).toBe(`http://172.17.0.1:${worker.addresses[0]!.address.port}`);
});

test("a switch over two providers that fails at the second puts the first back", async () => {
  const first = await bench.deploy(manifest({ web: ON_ENGINE, site: {} }));
  bench.dials.onCall = ({ plane, verb, plugin, operationId }) => {
    if (plane === "delivery" && verb === "apply" && plugin === "memory" && !operationId.includes("undo")) throw new TypeError("broken");
  };
  const failed = await bench.deploy(manifest({ web: { ...ON_ENGINE, env: { A: "1" } }, site: { env: { A: "1" } } }));
  expect(failed.state).toBe("failed");
  expect(await bench.steps(failed.id)).toEqual(
    expect.arrayContaining(["route:engine undone", "undo:route:engine done", "route:memory failed"]),
  );
  const tables = await bench.ledger.routeTables(bench.scope, {});
  const releases = tables.flatMap(({ table }) => table!.routes.flatMap(({ targets }) => targets.map(({ release }) => release)));
  expect(releases).toEqual([first.release, first.release]);
});

test("secrets of the build go to the builder and nowhere else", async () => {
  bench.dials.secrets = { NPM_TOKEN: { version: "7", value: "x" }, DB: { version: "1", value: "y" } };
  const secrets = [
    { name: "NPM_TOKEN", as: "build" },
    { name: "DB", as: "file" },
  ] as const;
  await bench.deploy(manifest({ web: { secrets } }));
  const input = (verb: string) => bench.calls.find((call) => call.verb === verb && call.plane !== "delivery")!.input;
  expect(input("build")).toMatchObject({ secrets: [{ name: "NPM_TOKEN", version: "7" }] });
  expect(input("apply")).toMatchObject({ spec: { secrets: [{ ref: { name: "DB", version: "1" }, as: "file" }] } });
});
