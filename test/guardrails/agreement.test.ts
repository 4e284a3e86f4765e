import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Evaluator, createEvaluator } from "../../packages/core/src/adapters/opa/evaluator.ts";
import { canonicalJson } from "../../packages/core/src/domain/digest.ts";
import { MATURITIES } from "../../packages/core/src/domain/manifest.ts";
import { seeded } from "../support/seeded.ts";
import { TIGHT, randomInput } from "./support/inputs.ts";
import { guardrails, opa, runOpa } from "./support/opa.ts";
import { ENTRYPOINT, shippedPack } from "./support/packs.ts";

const COUNT = 300;

interface Decision {
  readonly allow: boolean;
  readonly findings: readonly { readonly rule: string }[];
}

describe.skipIf(!opa)("the compiled packs and `opa eval` (needs the program opa)", () => {
  let folder: string;
  let evaluator: Evaluator;
  const rules = new Set<string>();
  let compared = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "helix-agreement-"));
    evaluator = createEvaluator({ timeLimitMs: 10_000 });
  });
  afterAll(async () => {
    await evaluator.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const maturity of MATURITIES) {
    for (const [name, parameters] of [
      ["as shipped", undefined],
      ["with tight parameters", TIGHT],
    ] as const) {
      it(`decide the same at ${maturity}, ${name}`, { timeout: 300_000 }, async () => {
        const chance = seeded(maturity.length * 1000 + name.length);
        const inputs = Array.from({ length: COUNT }, () => randomInput(chance, maturity));
        const { compiled, data } = await shippedPack(maturity, parameters);
        const theirs = await evaluatedByOpa(inputs, data);
        for (const [i, input] of inputs.entries()) {
          const questions = [{ pack: compiled.id, entrypoint: ENTRYPOINT, input: 0 }];
          const [raw] = await evaluator.evaluate({ nowMs: Date.now(), questions, packs: [compiled], inputs: [JSON.stringify(input)] });
          const ours = (raw as [{ result: Decision }])[0].result;
          expect(normal(ours), JSON.stringify(input)).toEqual(normal(theirs[i]!));
          for (const { rule } of ours.findings) rules.add(rule);
          compared++;
        }
      });
    }
  }

  it("were compared on at least 2,000 inputs, in which every rule spoke", async () => {
    process.stderr.write(`${compared} inputs compared, ${rules.size} rules spoke\n`);
    expect(compared).toBeGreaterThanOrEqual(2_000);
    const { data } = await shippedPack("production");
    expect([...rules].toSorted()).toEqual(Object.keys((data as { helix: { catalog: object } }).helix.catalog).toSorted());
  });

  /** All in one process: the real evaluator, on the sources. */
  async function evaluatedByOpa(inputs: readonly object[], data: object): Promise<readonly Decision[]> {
    await writeFile(join(folder, "input.json"), JSON.stringify({ inputs }));
    await writeFile(join(folder, "data.json"), JSON.stringify(data));
    const query = "[decision | some one in input.inputs; decision := data.helix.guardrails.decision with input as one]";
    const rego = ["artifacts", "decision", "freeze", "providers", "secrets", "services"].flatMap((file) => [
      "-d",
      join(guardrails, "baseline", `${file}.rego`),
    ]);
    const { ok, stdout, stderr } = await runOpa([
      "eval",
      ...rego,
      "-d",
      join(folder, "data.json"),
      "-i",
      join(folder, "input.json"),
      "--format=raw",
      query,
    ]);
    if (!ok) throw new Error(stderr);
    return JSON.parse(stdout) as Decision[];
  }
});

function normal({ allow, findings }: Decision): unknown {
  return { allow, findings: findings.map(canonicalJson).toSorted() };
}
