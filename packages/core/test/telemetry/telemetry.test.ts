import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLogger, createMetrics, meteredLedger } from "../../src/telemetry/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { manifest } from "../support/manifests.ts";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";

describe("the logger", () => {
  function lines(level: "info" | "silent" = "info") {
    const written: string[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString());
        done();
      },
    });
    return { written, logger: createLogger({ level, role: "control" }, sink) };
  }

  it("writes one JSON document a line, with role, level and an ISO time", () => {
    const { written, logger } = lines();
    logger.info({ deployment: "dep_1" }, "recorded");
    logger.debug("unseen");
    expect(written).toHaveLength(1);
    expect(JSON.parse(written[0]!)).toMatchObject({
      level: "info",
      role: "control",
      pid: process.pid,
      deployment: "dep_1",
      msg: "recorded",
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it("never writes credentials, wherever they stand", () => {
    const { written, logger } = lines();
    logger.info({
      token: "geheim",
      settings: { databaseUrl: "geheim", redisUrl: "geheim" },
      req: { headers: { authorization: "geheim" } },
      headers: { authorization: "geheim" },
    });
    logger.child({ user: { password: "geheim" } }).warn("x");
    expect(written.join("")).not.toContain("geheim");
    expect(written.join("")).toContain("[secret]");
  });

  it("is quiet when told to, and writes to stdout by itself", () => {
    const { written, logger } = lines("silent");
    logger.fatal("x");
    expect(written).toEqual([]);
    expect(createLogger({ level: "silent", role: "x" }).level).toBe("silent");
  });
});

describe("figures", () => {
  let postgres: TestPostgres;
  let bench: Bench;
  const metrics = createMetrics();
  beforeAll(async () => {
    postgres = await startPostgres();
    bench = await newBench(postgres, { wrap: (ledger) => meteredLedger(ledger, metrics) });
  });
  afterAll(async () => {
    await bench.close();
    await postgres.stop();
  });

  it("count deployments by state and measure steps, from what is committed", async () => {
    await bench.deploy(manifest({ web: {} }));
    bench.dials.onCall = ({ verb }) => {
      if (verb === "apply") throw new Error("no");
    };
    await bench.deploy(manifest({ web: { env: { A: "b" } } }));
    const text = await metrics.text();
    expect(text).toContain('helix_deployments_total{state="live"} 1');
    expect(text).toContain('helix_deployments_total{state="failed"} 1');
    expect(text).toMatch(/helix_step_duration_seconds_count\{kind="build",outcome="done"\} [12]/);
    expect(text).toMatch(/helix_step_duration_seconds_count\{kind="apply",outcome="failed"\} [1-9]/);
  });

  it("count what is asked for once, and what is cancelled while it waits", async () => {
    const ledger = meteredLedger(bench.ledger, metrics);
    const request = { kind: "destroy", manifest: null, snapshot: null, toRelease: null, withData: false } as const;
    const input = { project: "p", environment: "e", request, message: null, deadlineMs: 1000, idempotency: { key: "k", requestHash: "h" } };
    const { deployment } = await ledger.createDeployment(bench.scope, input);
    await ledger.createDeployment(bench.scope, input);
    await ledger.requestCancel(bench.scope, deployment.id);
    const text = await metrics.text();
    expect(text).toContain('helix_deployments_total{state="queued"} 1');
    expect(text).toContain('helix_deployments_total{state="cancelled"} 1');
  });

  it("leave out a source that does not answer", async () => {
    const other = createMetrics();
    other.watch({ queueDepth: () => Promise.reject(new Error("down")) });
    other.watch({});
    expect(await other.text()).not.toMatch(/^helix_queue_depth [1-9]/m);
  });
});
