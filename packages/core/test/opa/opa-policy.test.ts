import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type PolicyWorld, goodInput, policyWorld, withService } from "./policy-world.ts";
import { craftBundle, newKey } from "./craft-bundle.ts";

let world: PolicyWorld;
afterEach(() => world.close());

const DENIES = {
  behaviour: {
    does: "answer",
    result: JSON.stringify([
      { result: { allow: false, findings: [{ rule: "no", level: "mandatory", message: "no", path: "", fix: "" }] } },
    ]),
  },
} as const;
const waiver = {
  id: "wvr_1",
  rule: "memory-limit",
  path: null,
  reason: "a trial",
  principal: { id: "prn_lead", name: "lead" },
  expiresAt: new Date(Date.now() + 60_000).toISOString(),
};
const careless = (changes: Record<string, unknown> = {}) =>
  withService(goodInput("staging", changes), { resources: { memoryBytes: null, cpu: null } });

describe("a decision", () => {
  it("names rule, level, place, line, pack, what is needed and found, and the fix", async () => {
    world = await policyWorld();
    const { allow, findings } = await world.policy.decide("plan", withService(goodInput("production"), { replicas: 99 }));
    expect(allow).toBe(false);
    expect(findings).toEqual([
      {
        rule: "replica-bounds",
        level: "mandatory",
        message: "service web asks for 99 replicas",
        path: "services.web.replicas",
        file: "helix.yaml",
        line: 7,
        fix: "Set services.web.replicas to a number from 1 to 50.",
        pack: "guardrails/production@1.0.0",
        needed: "1 to 50 replicas",
        found: "99",
      },
    ]);
  });

  it("is of the manifest's maturity, but no less than the operator asks of the environment", async () => {
    world = await policyWorld();
    const input = withService(goodInput("poc"), { labels: {} });
    expect((await world.policy.decide("plan", input)).findings).toEqual([]);
    const strict = world.reopen({ settings: () => ({ environments: { production: { minimum: "production" } } }) });
    expect((await strict.decide("plan", input)).allow).toBe(false);
    expect((await strict.decide("plan", { ...input, environment: "preview/x" })).allow).toBe(true);
  });

  it("follows the operator's parameters, and its bundle digest says which", async () => {
    world = await policyWorld();
    const before = await world.policy.decide("plan", goodInput("mvp"));
    const strict = world.reopen({ settings: () => ({ parameters: { replicas: { min: 1, max: 1 } } }) });
    const after = await strict.decide("plan", goodInput("mvp"));
    expect([before.allow, after.allow]).toEqual([true, false]);
    expect(after.bundle).not.toBe(before.bundle);
    expect((await world.reopen().decide("plan", goodInput("mvp"))).bundle).toBe(before.bundle);
  });

  it("is frozen in a window of the operator's, in its time zone", async () => {
    const berlin = new Intl.DateTimeFormat("en-US", { timeZone: "Europe/Berlin", weekday: "long" }).format(new Date());
    const freeze = [{ name: "today", days: [berlin], from: "00:00", to: "24:00", zone: "Europe/Berlin" }];
    world = await policyWorld({ settings: () => ({ parameters: { freeze } }) });
    expect(await world.policy.decide("plan", goodInput("mvp"))).toMatchObject({
      allow: false,
      findings: [{ rule: "freeze-window", level: "soft-mandatory" }],
    });
    expect(await world.policy.decide("artifact", goodInput("mvp"))).toMatchObject({ allow: true });
    const back = goodInput("mvp", { deployment: { id: "dep_1", kind: "rollback", message: null, createdAt: new Date().toISOString() } });
    expect(await world.policy.decide("plan", back)).toMatchObject({ allow: true });
  });
});

describe("a waiver", () => {
  it("of somebody else lets a soft-mandatory rule pass, and is named", async () => {
    world = await policyWorld();
    expect((await world.policy.decide("plan", careless())).allow).toBe(false);
    const { allow, findings } = await world.policy.decide("plan", careless({ waivers: [waiver] }));
    expect(allow).toBe(true);
    expect(findings[0]).toMatchObject({
      rule: "memory-limit",
      level: "soft-mandatory",
      waiver: { id: "wvr_1", by: "lead", reason: "a trial" },
    });
  });

  it.for([
    ["of who deploys", { principal: { id: "prn_dev", name: "dev" } }],
    ["that is over", { expiresAt: new Date(Date.now() - 1000).toISOString() }],
    ["for another rule", { rule: "owner-present" }],
    ["for another path", { path: "services.worker" }],
    ["for a path that only begins like it", { path: "services.we" }],
  ] as const)("%s counts for nothing", async ([, changes]) => {
    world = await policyWorld();
    expect((await world.policy.decide("plan", careless({ waivers: [{ ...waiver, ...changes }] }))).allow).toBe(false);
  });

  it("for the path above counts", async () => {
    world = await policyWorld();
    expect((await world.policy.decide("plan", careless({ waivers: [{ ...waiver, path: "services.web" }] }))).allow).toBe(true);
  });

  it("cannot lift what is mandatory", async () => {
    world = await policyWorld();
    const input = withService(goodInput("production", { waivers: [waiver] }), { resources: { memoryBytes: null, cpu: null } });
    expect((await world.policy.decide("plan", input)).allow).toBe(false);
  });
});

describe("a team's pack", () => {
  it("decides from the next decision on, without a restart", async () => {
    world = await policyWorld();
    expect((await world.policy.decide("plan", goodInput("poc"))).allow).toBe(true);
    await world.install(DENIES);
    expect((await world.policy.decide("plan", goodInput("poc"))).allow).toBe(false);
    await world.install({ mark: { serial: 2 } });
    expect((await world.policy.decide("plan", goodInput("poc"))).allow).toBe(true);
  });

  it.for([
    [
      "unsigned",
      (_: PolicyWorld) =>
        craftBundle({ key: newKey().privateKey, mark: { serial: 9 }, tamper: (files) => files.delete(".signatures.json") }),
    ],
    ["of another key", (_: PolicyWorld) => craftBundle({ key: newKey().privateKey, mark: { serial: 9 } })],
    ["with `alg: none`", ({ keys }: PolicyWorld) => craftBundle({ key: keys.privateKey, mark: { serial: 9 }, header: { alg: "none" } })],
    [
      "with a shared secret",
      ({ keys }: PolicyWorld) => craftBundle({ key: keys.privateKey, mark: { serial: 9 }, header: { alg: "HS256" } }),
    ],
    [
      "with another policy than was signed",
      ({ keys }: PolicyWorld) =>
        craftBundle({ key: keys.privateKey, mark: { serial: 9 }, tamper: (files) => files.set("policy.wasm", Buffer.from("0")) }),
    ],
    [
      "with data that was not signed",
      ({ keys }: PolicyWorld) =>
        craftBundle({ key: keys.privateKey, mark: { serial: 9 }, tamper: (files) => files.set("data.json", Buffer.from(`{"a":1}`)) }),
    ],
    ["of an older edition", ({ keys }: PolicyWorld) => craftBundle({ key: keys.privateKey, mark: { serial: 4 } })],
    ["cut short", ({ keys }: PolicyWorld) => craftBundle({ key: keys.privateKey, mark: { serial: 9 } }).subarray(0, 200)],
  ] as const)("that is replaced by one %s goes on as it was, also after a restart", async ([, bad]) => {
    world = await policyWorld();
    await world.install({ ...DENIES, mark: { serial: 5 } });
    expect((await world.policy.decide("plan", goodInput("poc"))).allow).toBe(false);
    await writeFile(join(world.installed, "team.tar.gz"), bad(world));
    for (const policy of [world.policy, world.reopen()]) {
      expect((await policy.decide("plan", goodInput("poc"))).allow).toBe(false);
      expect((await policy.packs()).problems).toMatchObject([{ isKept: true, error: { code: "POLICY_UNAVAILABLE" } }]);
    }
    await world.install({ mark: { serial: 10 } });
    expect((await world.policy.decide("plan", goodInput("poc"))).allow).toBe(true);
    expect((await world.policy.packs()).problems).toEqual([]);
  });

  it("that is taken away goes on deciding: a lost file lifts no rule", async () => {
    world = await policyWorld();
    await world.install(DENIES);
    await world.policy.decide("plan", goodInput("poc"));
    await rm(join(world.installed, "team.tar.gz"));
    for (const policy of [world.policy, world.reopen()]) expect((await policy.decide("plan", goodInput("poc"))).allow).toBe(false);
  });

  it("is not believed any more when its key is not trusted any more", async () => {
    world = await policyWorld();
    await world.install();
    expect((await world.policy.decide("plan", goodInput("poc"))).allow).toBe(true);
    await rm(join(world.root, "keys/team.pem"));
    await expect(world.policy.decide("plan", goodInput("poc"))).rejects.toMatchObject({ options: { details: { fault: "wrong-key" } } });
  });

  it("cannot lift a rule of the shipped packs", async () => {
    world = await policyWorld();
    await world.install();
    expect((await world.policy.decide("plan", withService(goodInput("poc"), { replicas: 99 }))).allow).toBe(false);
  });

  it("that refuses in conftest's layout says so with its own words, and warns without refusing", async () => {
    world = await policyWorld();
    const said = JSON.stringify([{ result: ["too many", { msg: "and too large", path: "services.web.replicas", fix: "less" }] }]);
    await world.install({ entrypoint: "main/warn_size", behaviour: { does: "answer", result: said } });
    const warned = await world.policy.decide("plan", goodInput("poc"));
    expect(warned).toMatchObject({
      allow: true,
      findings: [
        { rule: "team/warn_size", level: "advisory", message: "too many" },
        { message: "and too large", line: 7, fix: "less" },
      ],
    });
    await world.install({ entrypoint: "main/violation", mark: { serial: 2 }, behaviour: { does: "answer", result: said } });
    expect(await world.policy.decide("plan", goodInput("poc"))).toMatchObject({
      allow: false,
      findings: [{ level: "mandatory" }, { level: "mandatory" }],
    });
  });
});

describe("a policy that never ends", () => {
  it("is ended within a second, and holds up neither other decisions nor the event loop", async () => {
    world = await policyWorld();
    await world.policy.decide("plan", goodInput("mvp"));
    await world.install({ behaviour: { does: "loop" } });
    const free = world.reopen({ installed: join(world.root, "none"), kept: join(world.root, "none") });
    await free.decide("plan", goodInput("mvp"));
    const started = performance.now();
    let turns = 0;
    const timer = setInterval(() => turns++, 10);
    const looping = world.policy
      .decide("plan", goodInput("mvp"))
      .catch((error: unknown) => ({ error, afterMs: performance.now() - started }));
    const others: number[] = [];
    for (let i = 0; i < 20; i++) {
      const before = performance.now();
      await free.decide("plan", goodInput("mvp"));
      others.push(performance.now() - before);
    }
    const { error, afterMs } = (await looping) as { error: unknown; afterMs: number };
    clearInterval(timer);
    expect(error).toMatchObject({ code: "POLICY_UNAVAILABLE", options: { details: { fault: "endless-loop" } } });
    process.stderr.write(
      `endless loop ended after ${afterMs.toFixed(0)} ms; 20 other decisions meanwhile, slowest ${Math.max(...others).toFixed(1)} ms\n`,
    );
    expect(afterMs).toBeLessThan(1000 + 500);
    expect(Math.max(...others)).toBeLessThan(500);
    expect(turns).toBeGreaterThan(20);
  });

  it("four at once still let the next decision through", async () => {
    world = await policyWorld();
    await world.install({ behaviour: { does: "loop" } });
    const looping = Array.from({ length: 4 }, () => world.policy.decide("plan", goodInput("mvp")));
    expect((await Promise.allSettled(looping)).map(({ status }) => status)).toEqual(Array(4).fill("rejected"));
    await world.install({ mark: { serial: 2 } });
    expect((await world.policy.decide("plan", goodInput("mvp"))).allow).toBe(true);
  });
});

it("a trial needs no signature, and is asked without the shipped packs", async () => {
  world = await policyWorld();
  const trial = await world.policy.openTrial(
    craftBundle({ key: newKey().privateKey, ...DENIES, tamper: (files) => files.delete(".signatures.json") }),
  );
  expect(await trial.decide(goodInput("poc"))).toMatchObject({ allow: false, findings: [{ rule: "no" }] });
  await expect(world.policy.openTrial(Buffer.from("no bundle"))).rejects.toMatchObject({ code: "POLICY_UNAVAILABLE" });
  expect((await readFile(join(world.root, "shipped/mvp.tar.gz"))).length).toBeGreaterThan(0);
});
