import { describe, expect, it } from "vitest";
import { allowAllPolicy } from "../../src/adapters/allow-all-policy.ts";
import { noSecrets } from "../../src/adapters/no-secrets.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";

const scope = { organization: "org_a", principal: "prn_a" };
const path = { project: "shop", environment: "production" };

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

describe("no secrets", () => {
  it("gives nothing to who asks for nothing, and names all that are missing", async () => {
    expect(await noSecrets.pin(scope, { path, names: [] })).toEqual([]);
    const asked = noSecrets.pin(scope, { path, names: ["A", "B"] });
    await expect(asked).rejects.toMatchObject({
      code: "SECRET_MISSING",
      message: expect.stringMatching(/A, B.*shop\/production/) as string,
    });
    await expect(noSecrets.read(scope, { path, ref: { name: "A", version: "1" } })).rejects.toMatchObject({ code: "SECRET_MISSING" });
  });
});

it("the policy that allows all says so, with no bundle", async () => {
  expect(await allowAllPolicy.decide("plan", {})).toEqual({ allow: true, findings: [], bundle: "none" });
});
