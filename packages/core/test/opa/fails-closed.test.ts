import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { POLICY_FAULTS, type PolicyFault } from "../../src/adapters/opa/index.ts";
import { type EngineError, errorRow } from "../../src/domain/errors.ts";
import { MATURITIES, type Maturity } from "../../src/domain/manifest.ts";
import { type Craft, craftBundle, newKey } from "./craft-bundle.ts";
import { type PolicyWorld, goodInput, policyWorld } from "./policy-world.ts";

let world: PolicyWorld;
afterEach(() => world.close());

/** Brings a fault about, and asks. */
type Cell = (maturity: Maturity) => Promise<unknown>;

/** A team's pack with something wrong, asked besides the shipped one. */
function pack(craft: Partial<Craft>, options: Parameters<typeof policyWorld>[0] = {}): Cell {
  return async (maturity) => {
    world = await policyWorld(options);
    await world.install(craft);
    return world.policy.decide("release", goodInput(maturity));
  };
}

const answering = (result: unknown): Partial<Craft> => ({ behaviour: { does: "answer", result: JSON.stringify(result) } });
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

/** Every fault but the decision log's, which belongs to the engine and is tested there. */
const CELLS: Readonly<Record<Exclude<PolicyFault, "decision-log-down">, Cell>> = {
  "bundle-missing": async (maturity) => {
    world = await policyWorld();
    await rm(join(world.root, "shipped", `${maturity}.tar.gz`));
    return world.policy.decide("release", goodInput(maturity));
  },
  "bundle-corrupt": async (maturity) => {
    world = await policyWorld();
    const file = join(world.root, "shipped", `${maturity}.tar.gz`);
    const bytes = await readFile(file);
    await writeFile(file, bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1));
    return world.policy.decide("release", goodInput(maturity));
  },
  "signature-stripped": pack({ tamper: (files) => files.delete(".signatures.json") }),
  "signature-partial": pack({ tamper: (files) => files.set("more.rego", Buffer.from("package more")) }),
  "wrong-key": async (maturity) => {
    world = await policyWorld();
    await writeFile(join(world.root, "shipped", `${maturity}.tar.gz`), craftBundle({ key: newKey().privateKey }));
    return world.policy.decide("release", goodInput(maturity));
  },
  "bundle-expired": pack({ mark: { expiresAt: inMs(-1000) } }),
  "bundle-older": async (maturity) => {
    world = await policyWorld();
    await world.install({ mark: { serial: 7, expiresAt: inMs(600) } });
    await world.policy.decide("release", goodInput(maturity));
    await world.install({ mark: { serial: 6 } });
    // The newer edition stays in force until it ends; the older one never takes its place.
    await new Promise((resolve) => setTimeout(resolve, 700));
    await world.policy.decide("release", goodInput(maturity)).catch(() => {});
    throw (await world.policy.packs()).problems.map(({ error }) => ({ code: error.code, options: error }))[0];
  },
  "entrypoint-missing": pack({ entrypoint: "team/other" }),
  "builtin-missing": pack({ behaviour: { does: "call", builtin: "http.send" } }),
  "wasm-trap": pack({ behaviour: { does: "trap" } }),
  // As small as the shipped packs allow, so that a busy machine does not take longer to fill it than a policy may run.
  "out-of-memory": pack({ behaviour: { does: "fill-memory" } }, { memoryBytes: 8 * 2 ** 20 }),
  "endless-loop": pack({ behaviour: { does: "loop" } }),
  "result-undefined": pack(answering([])),
  "result-not-boolean": pack(answering([{ result: { allow: "yes", findings: [] } }])),
  "result-malformed": pack(answering([{ result: { allow: true, findings: [{ rule: "x", level: "whenever" }] } }])),
  "input-too-large": async (maturity) => {
    world = await policyWorld({ inputBytes: 10_000 });
    return world.policy.decide("release", goodInput(maturity, { padding: "x".repeat(10_000) }));
  },
  "clock-skew": async (maturity) => {
    world = await policyWorld();
    return world.policy.decide("release", goodInput(maturity, { history: { live: null, deployments: [{ createdAt: inMs(600_000) }] } }));
  },
  "parameters-invalid": async (maturity) => {
    world = await policyWorld({ settings: () => ({ parameters: { replicas: { min: 1 } } }) });
    return world.policy.decide("release", goodInput(maturity));
  },
};

const printed: string[] = [];

for (const maturity of MATURITIES) {
  describe(`at ${maturity} nothing is allowed by error`, () => {
    it.for(Object.entries(CELLS))("%s", async ([fault, cell]) => {
      const outcome = await cell(maturity).then(
        (decision) => ({ decision }),
        (error: EngineError) => ({ error }),
      );
      expect(outcome).not.toHaveProperty("decision");
      const { error } = outcome as { error: EngineError };
      expect(error.code, String(error)).toBe("POLICY_UNAVAILABLE");
      expect(error.options.details?.["fault"]).toBe(fault);
      expect(errorRow(error.code).exit).toBe(5);
      printed.push(`${maturity.padEnd(12)}${fault.padEnd(22)}refused, exit 5`);
    });
  });
}

describe("the table", () => {
  it("has every fault there is", async () => {
    world = await policyWorld();
    expect([...Object.keys(CELLS), "decision-log-down"].toSorted()).toEqual(Object.keys(POLICY_FAULTS).toSorted());
    process.stderr.write(`${printed.toSorted().join("\n")}\n${printed.length} cells, 0 allowed by error\n`);
  });

  it("would notice a fault that is none: the same worlds without it allow", async () => {
    for (const maturity of MATURITIES) {
      await world.close();
      expect(await pack({})(maturity)).toMatchObject({ allow: true, findings: [] });
    }
  });
});
