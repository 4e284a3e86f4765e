import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";

describe("the system clock", () => {
  it("sleeps at least as long as asked", async () => {
    const before = systemClock.monotonic();
    await systemClock.sleep(30);
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(29);
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  });

  it("wakes with the signal's reason", async () => {
    const reason = new Error("enough");
    const stop = new AbortController();
    const sleeping = systemClock.sleep(60_000, stop.signal);
    stop.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(systemClock.sleep(60_000, stop.signal)).rejects.toBe(reason);
  });

  it("does not take a very long sleep for a short one", async () => {
    const stop = new AbortController();
    let isAwake = false;
    const sleeping = systemClock.sleep(10_000_000_000, stop.signal).finally(() => (isAwake = true));
    await systemClock.sleep(30);
    expect(isAwake).toBe(false);
    stop.abort();
    await expect(sleeping).rejects.toThrow();
  });
});
