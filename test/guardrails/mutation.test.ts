import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Mutant, mutantsOf } from "./support/mutants.ts";
import { guardrails, opa, runOpa } from "./support/opa.ts";

describe.skipIf(!opa)("mutants of the rules (needs the program opa)", () => {
  let folder: string;
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "helix-mutants-"))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("are noticed by the packs' own tests, nine in ten at least", { timeout: 600_000 }, async () => {
    const files = (await readdir(join(guardrails, "baseline"))).filter((name) => name.endsWith(".rego") && !name.endsWith("_test.rego"));
    const jobs = (
      await Promise.all(
        files.map(async (file) =>
          mutantsOf(await readFile(join(guardrails, "baseline", file), "utf8")).map((mutant) => ({ file, mutant })),
        ),
      )
    ).flat();
    const fates = await pool(jobs, 2, ({ file, mutant }, worker) => fate(file, { mutant, place: join(folder, `w${worker}`) }));
    const of = (what: Fate) => jobs.filter((_, i) => fates[i] === what).map(({ file, mutant }) => `${file} ${mutant.what}`);
    const [caught, missed, invalid] = [of("caught"), of("missed"), of("invalid")];
    process.stderr.write(
      `mutants: ${caught.length} caught, ${missed.length} missed, ${invalid.length} do not compile\n${missed.map((one) => `  missed ${one}\n`).join("")}`,
    );
    expect(caught.length + missed.length).toBeGreaterThan(80);
    expect(caught.length / (caught.length + missed.length), missed.join("\n")).toBeGreaterThanOrEqual(0.9);
  });
});

type Fate = "caught" | "missed" | "invalid";

/** Runs the packs' tests over one mutant. What does not compile says nothing of the tests. */
async function fate(file: string, { mutant, place }: { mutant: Mutant; place: string }): Promise<Fate> {
  await rm(place, { recursive: true, force: true });
  await cp(join(guardrails, "baseline"), join(place, "baseline"), { recursive: true });
  await cp(join(guardrails, "mvp/data.json"), join(place, "mvp/data.json"));
  await writeFile(join(place, "baseline", file), mutant.text);
  const { ok, stdout } = await runOpa(["test", "--format=json", "baseline", "mvp"], { cwd: place });
  if (ok) return "missed";
  return stdout.trim().startsWith("[") ? "caught" : "invalid";
}

async function pool<T, R>(jobs: readonly T[], size: number, work: (job: T, worker: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (worker: number) => {
    for (let i = next++; i < jobs.length; i = next++) results[i] = await work(jobs[i]!, worker);
  };
  await Promise.all(Array.from({ length: size }, (_, worker) => lane(worker)));
  return results;
}
