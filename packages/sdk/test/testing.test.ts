import { existsSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { createTestContext, testIdentity } from "../src/testing.ts";

test("a context has real folders, which go with it", () => {
  const ctx = createTestContext();
  expect(readdirSync(ctx.workdir)).toEqual([]);
  expect(existsSync(ctx.home)).toBe(true);
  ctx.cleanup();
  expect([existsSync(ctx.workdir), existsSync(ctx.home)]).toEqual([false, false]);
});

test("it records what is logged and reported", () => {
  const ctx = createTestContext();
  ctx.log.warn("careful", { at: 1 });
  ctx.log.info("done");
  ctx.progress("half way");
  expect(ctx.lines).toEqual([
    { level: "warn", message: "careful", fields: { at: 1 } },
    { level: "info", message: "done", fields: {} },
  ]);
  expect(ctx.notes).toEqual(["half way"]);
  ctx.cleanup();
});

test("it gives the secrets it was given and no other", async () => {
  const ctx = createTestContext({ secrets: { DB: "one" }, credentials: { TOKEN: "two" } });
  expect((await ctx.resolve({ name: "DB", version: "9" })).reveal()).toBe("one");
  expect((await ctx.secret("TOKEN")).reveal()).toBe("two");
  await expect(ctx.resolve({ name: "TOKEN", version: "1" })).rejects.toMatchObject({ code: "FORBIDDEN" });
  await expect(ctx.secret("DB")).rejects.toMatchObject({ code: "FORBIDDEN" });
  ctx.cleanup();
});

test("the next call has the same home and log, its own work folder and signal", () => {
  const first = createTestContext({ config: { region: "here" } });
  first.abort();
  const second = first.next({ identity: testIdentity({ revision: "rev_2" }), fence: 2 });
  second.log.info("again");
  expect(second).toMatchObject({ home: first.home, fence: 2, config: { region: "here" }, operationId: "op_test" });
  expect([second.identity.revision, second.identity.unit]).toEqual(["rev_2", "unit_test"]);
  expect(second.workdir).not.toBe(first.workdir);
  expect([first.signal.aborted, second.signal.aborted]).toEqual([true, false]);
  expect(first.lines).toHaveLength(1);
  first.cleanup();
});
