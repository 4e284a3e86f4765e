import type { LogLine } from "@helixstack/sdk";
import { expect, test } from "vitest";
import { BATCH_CHARACTERS } from "@helixstack/sdk/turns";
import { STREAM_WINDOW } from "../../src/host/protocol.ts";
import { callOf, failure, isAlive, testDispatcher, until } from "./harness.ts";

const input = { prior: null, follow: false, tail: null, after: null };
/** Lines that fit into what a plugin may have on its way, the message that waits, and the one that is gathered meanwhile; each has more than a thousand characters. */
const AHEAD = ((STREAM_WINDOW + 2) * BATCH_CHARACTERS) / 1000;
const following = { ...input, follow: true };

async function collect(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of lines) texts.push(text);
  return texts;
}

/** A number that grows, once it does not any more. */
async function standstill(read: () => Promise<string>): Promise<number> {
  for (let last = -1; ; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const now = Number(await read());
    if (now === last && now > 0) return now;
    last = now;
  }
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
  const made = await standstill(() => read("made"));
  expect(made).toBeLessThan(AHEAD);
  const taken = made + 100;
  for (let i = 2; i <= taken; i++) expect((await lines.next()).value.text).toBe(`line ${i}`);
  const later = await standstill(() => read("made"));
  expect(later).toBeGreaterThan(made);
  expect(later).toBeLessThan(taken + AHEAD);
  await lines.return?.();
});

test("a reader that leaves stops the plugin", async () => {
  const { call, fault, dispatcher, read, recorded } = await testDispatcher();
  await fault({ "runtime.logs": { kind: "endless" } });
  for await (const { text } of dispatcher.stream<LogLine>(callOf("logs", { input }))) if (text === "line 100") break;
  const made = await standstill(() => read("made"));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(Number(await read("made"))).toBe(made);
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
