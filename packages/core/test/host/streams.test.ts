import type { LogLine } from "@helixstack/sdk";
import { expect, test } from "vitest";
import { callOf, failure, isAlive, testDispatcher, until } from "./harness.ts";

const input = { prior: null, follow: false, tail: null, after: null };
const following = { ...input, follow: true };

async function collect(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of lines) texts.push(text);
  return texts;
}

test("a stream gives its items in order and ends", async () => {
  const { call, dispatcher } = await testDispatcher();
  await call("apply");
  await call("suspend");
  await call("apply");
  expect(await collect(dispatcher.stream<LogLine>(callOf("logs", { input })))).toEqual(["running", "frozen", "running"]);
});

test("a slow reader holds the plugin back", async () => {
  const { fault, dispatcher, read } = await testDispatcher();
  await fault({ "runtime.logs": { kind: "endless" } });
  const lines = dispatcher.stream<LogLine>(callOf("logs", { input }))[Symbol.asyncIterator]();
  expect((await lines.next()).value.text).toBe("line 1");
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(Number(await read("made"))).toBeLessThanOrEqual(65);
  for (let i = 2; i <= 500; i++) expect((await lines.next()).value.text).toBe(`line ${i}`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(Number(await read("made"))).toBeLessThanOrEqual(500 + 65);
  await lines.return?.();
});

test("a reader that leaves stops the plugin", async () => {
  const { call, fault, dispatcher, read, recorded } = await testDispatcher();
  await fault({ "runtime.logs": { kind: "endless" } });
  for await (const { text } of dispatcher.stream<LogLine>(callOf("logs", { input }))) if (text === "line 100") break;
  await new Promise((resolve) => setTimeout(resolve, 200));
  const made = await read("made");
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await read("made")).toBe(made);
  expect(await call("observe")).toBeNull();
  expect(recorded).toHaveLength(1);
});

test("the signal ends a stream that follows, without an error", async () => {
  const { call, dispatcher } = await testDispatcher();
  await call("apply");
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 300);
  expect(
    await collect(dispatcher.stream<LogLine>(callOf("logs", { input: following, signal: abort.signal, deadlineMs: Infinity }))),
  ).toEqual(["running"]);
  expect(await collect(dispatcher.stream<LogLine>(callOf("logs", { input, signal: AbortSignal.abort() })))).toEqual([]);
});

test("a stream that ignores being left costs its process", async () => {
  const { call, fault, dispatcher, recorded } = await testDispatcher();
  await call("apply");
  await fault({ "runtime.logs": { kind: "stuck" } });
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  expect(await collect(dispatcher.stream<LogLine>(callOf("logs", { input, signal: abort.signal })))).toEqual([]);
  await until(() => !isAlive(recorded[0]!.pid), "the stuck process is gone");
});

test("a deadline, an error and an item that is none reach the reader", async () => {
  const { fault, dispatcher } = await testDispatcher();
  const read = (more = {}) => failure(collect(dispatcher.stream<LogLine>(callOf("logs", { input: following, ...more }))));
  expect((await read({ deadlineMs: 200 })).code).toBe("PLUGIN_HUNG");
  await fault({ "runtime.logs": { kind: "error", code: "NOT_FOUND" } });
  expect((await read()).code).toBe("NOT_FOUND");
  await fault({ "runtime.logs": { kind: "answer", value: { text: "no cursor" } } });
  expect(await read()).toMatchObject({ code: "PLUGIN_NONSENSE", message: expect.stringContaining("cursor") as string });
});
