import { expect, test } from "vitest";
import { type EngineDeps, createEngine } from "../../src/engine/index.ts";

const job = { organization: "org_1", run: "run_1" };
const { signal } = new AbortController();

/** An engine whose claims are answered, with nothing, one by one. */
function engineOnClaims() {
  const waiting: (() => void)[] = [];
  const claim = () => new Promise<null>((resolve) => waiting.push(() => resolve(null)));
  const engine = createEngine({ ledger: { claim } } as unknown as EngineDeps);
  const answer = async () => {
    waiting.shift()!();
    await new Promise(setImmediate);
  };
  return { work: (run = job.run) => engine.runJob({ ...job, run }, "wrk_1", signal), claims: () => waiting.length, answer };
}

test("a run that is asked for while it is worked on is looked at once more, after that", async () => {
  const { work, claims, answer } = engineOnClaims();
  const first = work();
  await Promise.all([work(), work(), work()]);
  expect(claims()).toBe(1);
  await answer();
  expect(claims()).toBe(1);
  await answer();
  await first;
  expect(claims()).toBe(0);
});

test("a run that was worked on is taken up again, and others do not wait for it", async () => {
  const { work, claims, answer } = engineOnClaims();
  const first = work();
  const other = work("run_2");
  expect(claims()).toBe(2);
  await answer();
  await answer();
  await Promise.all([first, other]);
  const again = work();
  expect(claims()).toBe(1);
  await answer();
  await again;
});
