import { Secret } from "@helixstack/sdk";
import { expect, test } from "vitest";
import type { PluginCall } from "../../src/ports/index.ts";
import { failure, spec, testDispatcher, until } from "./harness.ts";

const ref = { name: "DATABASE_PASSWORD", version: "3" };
const input = { spec: { ...spec, secrets: [{ ref, as: "env" }] }, prior: null };
const secrets: PluginCall["secrets"] = {
  resolve: async ({ name, version }) => new Secret(`value-of-${name}@${version}`),
  credential: async () => new Secret("line one of the key\nline two of the key"),
};

test("values that a plugin was given are masked in all that it says", async () => {
  const { call, fault, output } = await testDispatcher();
  await fault({ "runtime.apply": { kind: "leak" } });
  const said: string[] = [];
  const error = await failure(
    call("apply", { input, secrets, onLog: ({ text }) => said.push(text), onProgress: (note) => said.push(note) }),
  );
  await until(() => output.some(({ text }) => text.startsWith("printed")), "its output has come");
  const all = JSON.stringify([said, error.message, error.toDocument(), output]);
  expect(said.length).toBeGreaterThan(2);
  expect(all).toContain("got [secret] [secret]");
  expect(all).toContain("printed [secret]");
  expect(all).not.toContain("value-of");
  expect(all).not.toContain("of the key");
});

test("values of one call are not masked in another, for that would tell of them; the plugin's own are", async () => {
  const { call, fault } = await testDispatcher();
  await fault({ "runtime.apply": { kind: "leak" } });
  await failure(call("apply", { input, secrets }));
  const [value, credential] = ["value-of-DATABASE_PASSWORD@3", "line one of the key"];
  await fault({ "runtime.apply": { kind: "say", text: `is it ${value}, or ${credential}?` } });
  const said: string[] = [];
  await call("apply", { onLog: ({ text }) => said.push(text) }).catch(() => undefined);
  expect(said).toEqual([`is it ${value}, or [secret]?`]);
});

test.each([
  ["a credential that its permissions do not name", { secret: "OTHER_TOKEN" }, "OTHER_TOKEN"],
  ["a secret that the call does not name", { ref: { name: "OTHER", version: "1" } }, "OTHER@1"],
  ["another version of a secret that the call names", { ref: { ...ref, version: "2" } }, "DATABASE_PASSWORD@2"],
])("%s is FORBIDDEN", async (_, wanted, named) => {
  const { call, fault } = await testDispatcher();
  await fault({ "runtime.apply": { kind: "snoop", ...wanted } });
  const asked: unknown[] = [];
  const spy: PluginCall["secrets"] = {
    resolve: async (one) => (asked.push(one), new Secret("x")),
    credential: async (one) => (asked.push(one), new Secret("x")),
  };
  const error = await failure(call("apply", { input, secrets: spy }));
  expect(error).toMatchObject({ code: "FORBIDDEN", options: { plugin: "faulty@0.1.0" } });
  expect(error.message).toContain(named);
  expect(asked).toEqual([]);
});

test("without anything that answers, every secret is FORBIDDEN", async () => {
  const { call, fault } = await testDispatcher();
  await fault({ "runtime.apply": { kind: "snoop", ref } });
  expect((await failure(call("apply", { input }))).code).toBe("FORBIDDEN");
});

test("a store that is down fails the call with the store's own error", async () => {
  const { EngineError } = await import("../../src/domain/errors.ts");
  const { call, fault } = await testDispatcher();
  await fault({ "runtime.apply": { kind: "snoop", ref } });
  const down = async () => {
    throw new EngineError("SECRET_STORE_DOWN", "the store does not answer");
  };
  expect(await failure(call("apply", { input, secrets: { resolve: down } }))).toMatchObject({
    code: "SECRET_STORE_DOWN",
    retryable: true,
    options: { plane: "runtime", plugin: "faulty@0.1.0" },
  });
});

test("a secret does not survive as an answer: it is a type that does not print", async () => {
  const { call, fault } = await testDispatcher();
  await fault({ "build.toolchain": { kind: "snoop", secret: "FAULTY_TOKEN" } });
  expect(await call("toolchain", { plane: "build", secrets })).toBe("[secret]");
});
