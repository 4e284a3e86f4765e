import { setTimeout as sleep } from "node:timers/promises";

/** Tries an expectation again until it holds; fails with its last error after `timeoutMs`. */
export async function eventually<T>(expectation: () => T | Promise<T>, timeoutMs = 15_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await expectation();
    } catch (thrown) {
      if (performance.now() > deadline) throw thrown;
      await sleep(20);
    }
  }
}
