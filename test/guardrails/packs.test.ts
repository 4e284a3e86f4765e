import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MATURITIES } from "../../packages/core/src/domain/manifest.ts";
import { guardrails, opa, runOpa } from "./support/opa.ts";

describe.skipIf(!opa)("the packs (need the program opa)", () => {
  it.for(MATURITIES)("%s: its tests pass, and reach every line of the rules", async (maturity) => {
    const { ok, stdout, stderr } = await runOpa(["test", "baseline", maturity, "--coverage", "--format=json"]);
    expect(ok, stderr).toBe(true);
    const { coverage, files } = JSON.parse(stdout) as { coverage: number; files: Record<string, { not_covered?: object }> };
    const missed = Object.entries(files).filter(([, file]) => file.not_covered);
    expect(missed.map(([file, { not_covered }]) => `${file} ${JSON.stringify(not_covered)}`)).toEqual([]);
    expect(coverage).toBe(100);
  });

  it("are written as `opa fmt` and `opa check --strict` want them", async () => {
    const folders = ["baseline", ...MATURITIES];
    expect(await runOpa(["fmt", "--list", ...folders])).toMatchObject({ ok: true, stdout: "" });
    for (const maturity of MATURITIES) expect(await runOpa(["check", "--strict", "baseline", maturity])).toMatchObject({ ok: true });
  });

  it("carry a signature that OPA itself accepts", async () => {
    const key = await readFile(join(guardrails, "../packages/core/src/adapters/opa/shipped-key.ts"), "utf8");
    const pem = /-----BEGIN[^`]*-----END PUBLIC KEY-----\n/.exec(key)![0];
    for (const maturity of MATURITIES) {
      const { ok, stderr } = await runOpa([
        "build",
        "-b",
        `bundles/${maturity}.tar.gz`,
        "--verification-key",
        pem,
        "--signing-alg",
        "ES256",
        "-o",
        "/dev/null",
      ]);
      expect(ok, stderr).toBe(true);
    }
  });
});

describe("the levels", () => {
  it("only ever rise with maturity", async () => {
    const order = ["off", "advisory", "soft-mandatory", "mandatory"];
    const levels = await Promise.all(MATURITIES.map(async (maturity) => (await data(maturity)).levels));
    for (const [rule, first] of Object.entries(levels[0]!)) {
      const ranks = levels.map((one) => order.indexOf(one[rule]!));
      expect(ranks, `${rule} begins as ${first}`).toEqual(ranks.toSorted((a, b) => a - b));
      expect(ranks).not.toContain(-1);
    }
  });
});

async function data(maturity: string): Promise<{ levels: Record<string, string> }> {
  return (JSON.parse(await readFile(join(guardrails, maturity, "data.json"), "utf8")) as { helix: { levels: Record<string, string> } })
    .helix;
}
