import { type Digest, PluginError } from "@helixstack/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EngineError } from "../../src/domain/errors.ts";
import { keepTidy } from "../../src/main/tidy.ts";
import { createLogger } from "../../src/telemetry/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { manifest } from "../support/manifests.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let bench: Bench;
beforeAll(async () => {
  postgres = await startPostgres();
  bench = await newBench(postgres);
});
afterAll(async () => {
  await bench.close();
  await postgres.stop();
});

test("drops now and then what nothing refers to, goes on after a failure, and ends when it is asked to", async () => {
  bench.dials.onCall = ({ verb }) => {
    if (verb === "apply") throw new PluginError("START_FAILED", "no");
  };
  const { request } = await bench.deploy(manifest({ web: {} }));
  const ending = new AbortController();
  const pauses: number[] = [];
  let isDown = true;
  await keepTidy(
    {
      ledger: {
        ...bench.ledger,
        async ensurePrincipal(input) {
          if (!isDown) return bench.ledger.ensurePrincipal(input);
          isDown = false;
          throw new EngineError("DATABASE_DOWN", "not just now");
        },
      },
      engineDeps: {
        ...bench.deps,
        clock: {
          ...bench.deps.clock,
          async sleep(ms) {
            if (pauses.push(ms) > 2) ending.abort();
          },
        },
      },
      settings: { keepUnusedMs: 0 },
      logger: createLogger({ level: "silent", role: "test" }),
    },
    ending.signal,
  );
  expect(pauses).toEqual([60_000, 21_600_000, 21_600_000]);
  expect(await bench.deps.sources.getSnapshot(request.snapshot as Digest)).toBeNull();
});
