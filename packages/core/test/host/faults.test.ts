import { describe, expect, test } from "vitest";
import { failure, isAlive, testDispatcher, until } from "./harness.ts";

describe("a plugin that crashes", () => {
  test("by a signal fails the call, retryable, and the next call finds a new process", async () => {
    const { call, fault, recorded, removed } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "crash", times: 1 } });
    const error = await failure(call("apply"));
    expect(error).toMatchObject({ code: "PLUGIN_CRASHED", retryable: true, options: { plane: "runtime", plugin: "faulty@0.1.0" } });
    expect(error.message).toContain("SIGKILL");
    expect(await call("apply")).toMatchObject({ phase: "running" });
    expect(recorded).toHaveLength(2);
    expect(removed).toEqual([recorded[0]]);
  });

  test("by exiting says so, with the last lines it wrote", async () => {
    const { call, fault } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "exit", code: 7 } });
    const error = await failure(call("apply"));
    expect(error).toMatchObject({ code: "PLUGIN_CRASHED", options: { logs: ["about to exit"] } });
    expect(error.message).toContain("exit code 7");
  });

  test("takes the processes with it that it had started", async () => {
    const { call, fault, read, recorded } = await testDispatcher();
    await fault({ "runtime.observe": { kind: "spawn" }, "runtime.apply": { kind: "crash" } });
    await call("observe");
    const child = Number(await read("child.pid"));
    expect(isAlive(child)).toBe(true);
    await failure(call("apply"));
    expect(isAlive(recorded[0]!.pid)).toBe(false);
    await until(() => !isAlive(child), "the child of the dead host is gone");
  });

  test("while its module loads fails the call", async () => {
    const { call } = await testDispatcher({ node: "/bin/false" });
    expect(await failure(call("apply"))).toMatchObject({
      code: "PLUGIN_CRASHED",
      message: expect.stringContaining("exit code 1") as string,
    });
  });

  test("because its Node is not there says so", async () => {
    const { call } = await testDispatcher({ node: "/nowhere/node" });
    expect(await failure(call("apply"))).toMatchObject({ code: "PLUGIN_CRASHED", message: expect.stringContaining("ENOENT") as string });
  });
});

describe("a plugin that hangs", () => {
  test("past its deadline is killed two seconds later; other calls on it fail and may be retried", async () => {
    const { call, fault, recorded } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "hang" }, "runtime.destroy": { kind: "delay", ms: 60_000 } });
    const started = Date.now();
    const other = failure(call("destroy"));
    const error = await failure(call("apply", { deadlineMs: 200 }));
    expect(Date.now() - started).toBeGreaterThan(2_100);
    expect(Date.now() - started).toBeLessThan(4_000);
    expect(error).toMatchObject({ code: "PLUGIN_HUNG", options: { plane: "runtime", plugin: "faulty@0.1.0" } });
    expect(error.message).toMatch(/runtime\.apply of faulty@0\.1\.0 did not answer within its deadline of 200 ms/);
    expect(await other).toMatchObject({ code: "PLUGIN_CRASHED", retryable: true });
    expect(isAlive(recorded[0]!.pid)).toBe(false);
  });

  test("with its event loop blocked is killed too", async () => {
    const { call, fault, recorded } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "block" } });
    expect((await failure(call("apply", { deadlineMs: 100 }))).code).toBe("PLUGIN_HUNG");
    expect(isAlive(recorded[0]!.pid)).toBe(false);
  });

  test("and ignores a cancel is killed", async () => {
    const { call, fault } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "hang" } });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    const error = await failure(call("apply", { signal: abort.signal }));
    expect(error.code).toBe("PLUGIN_HUNG");
    expect(error.message).toContain("did not stop within 2 s");
  });
});

describe("a call that is stopped", () => {
  test("by its signal ends as ABORTED as soon as the plugin has stopped, and its process stays", async () => {
    const { call, fault, recorded } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "delay", ms: 60_000 } });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    const started = Date.now();
    expect(await failure(call("apply", { signal: abort.signal }))).toMatchObject({ code: "ABORTED", retryable: false });
    expect(Date.now() - started).toBeLessThan(1_500);
    expect(await call("observe")).toBeNull();
    expect(recorded).toHaveLength(1);
  });

  test("at its deadline says which", async () => {
    const { call, fault, recorded } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "delay", ms: 60_000 } });
    const error = await failure(call("apply", { deadlineMs: 150 }));
    expect(error).toMatchObject({ code: "PLUGIN_HUNG", message: expect.stringContaining("deadline of 150 ms") as string });
    expect(await call("observe")).toBeNull();
    expect(recorded).toHaveLength(1);
  });

  test("before it began does nothing", async () => {
    const { call, recorded } = await testDispatcher();
    expect((await failure(call("apply", { signal: AbortSignal.abort() }))).code).toBe("ABORTED");
    expect(recorded).toEqual([]);
  });

  test("while its host starts does not wait for the host", async () => {
    const { call } = await testDispatcher({ onHost: { recordHost: () => new Promise(() => {}), removeHost: async () => {} } });
    expect((await failure(call("apply", { deadlineMs: 100 }))).code).toBe("PLUGIN_HUNG");
  });

  test("and gives its result nevertheless is still stopped", async () => {
    const { call, fault } = await testDispatcher();
    await fault({ "runtime.run": { kind: "deaf", ms: 400 } });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    expect((await failure(call("run", { signal: abort.signal }))).code).toBe("ABORTED");
  });
});

describe("a plugin that talks nonsense", () => {
  const good = { state: {}, phase: "running", endpoints: [], instances: [], specDigest: null };
  test.each([
    ["an answer of another type", "yes", "the whole"],
    ["a phase that is none", { ...good, phase: "fine" }, "phase"],
    ["a field that is not in the contract", { ...good, extra: 1 }, 'unknown key "extra"'],
    ["a state that is not its own schema's", { ...good, state: { secret: 1 } }, 'unknown key "secret" in state'],
    ["no state", { ...good, state: undefined }, "state"],
    ["an endpoint without a port", { ...good, endpoints: [{ kind: "http", host: "127.0.0.1" }] }, "endpoints.0"],
  ])("as %s fails the call with the place", async (_, value, place) => {
    const { call, fault, recorded } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "answer", value, times: 1 } });
    const error = await failure(call("apply"));
    expect(error).toMatchObject({ code: "PLUGIN_NONSENSE", retryable: false, options: { plane: "runtime", plugin: "faulty@0.1.0" } });
    expect(error.message).toContain(place);
    expect(await call("apply")).toMatchObject({ phase: "running" });
    expect(recorded).toHaveLength(1);
  });

  test.each([
    ["what is not JSON", "hello", "not a JSON object"],
    ["a message of no known type", '{"type":"gossip","id":1}', "none of the protocol"],
    ["a message about a call that never was", '{"type":"result","id":99,"value":null}', "call 99"],
  ])("as %s on the pipe fails the call and ends the process", async (_, text, why) => {
    const { call, fault, recorded } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "garbage", text } });
    const error = await failure(call("apply"));
    expect(error).toMatchObject({ code: "PLUGIN_NONSENSE", options: { plugin: "faulty@0.1.0" } });
    expect(error.message).toContain(why);
    expect(isAlive(recorded[0]!.pid)).toBe(false);
  });

  test("as an answer that is too large fails the call, and the process stays", async () => {
    const { call, fault, recorded } = await testDispatcher();
    await fault({ "build.toolchain": { kind: "huge", bytes: 9 * 1024 * 1024 } });
    const error = await failure(call("toolchain", { plane: "build" }));
    expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", options: { plane: "build" } });
    expect(await call("observe")).toBeNull();
    expect(recorded).toHaveLength(1);
  });

  test("as an endless line on the pipe is cut off before it fills the memory", async () => {
    const { call, fault } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "flood" } });
    const error = await failure(call("apply"));
    expect(error).toMatchObject({ code: "PLUGIN_NONSENSE", message: expect.stringContaining("longer than") as string });
  });

  test("on stdout and stderr harms nothing, and reaches the engine's log", async () => {
    const { call, fault, output } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "noise" } });
    expect(await call("apply")).toMatchObject({ phase: "running" });
    await until(() => output.length >= 3, "the lines have come");
    expect(output).toContainEqual(expect.objectContaining({ plugin: "faulty", stream: "stdout", text: "noise on stdout" }));
    expect(output).toContainEqual(expect.objectContaining({ stream: "stderr", text: "noise on stderr" }));
  });
});

describe("an error that a plugin raises", () => {
  test("arrives with its code, hint and whether it may be retried", async () => {
    const { call, fault } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "error", code: "UNAVAILABLE", message: "the world does not answer" } });
    expect(await failure(call("apply"))).toMatchObject({
      code: "UNAVAILABLE",
      message: "the world does not answer",
      retryable: true,
      options: { plane: "runtime", plugin: "faulty@0.1.0", hint: expect.stringContaining("Start it") as string },
    });
  });

  test("that is none of the contract's is INTERNAL, with the top of its stack", async () => {
    const { call, fault } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "throw", message: "x is not a function" } });
    const error = await failure(call("apply"));
    expect(error).toMatchObject({ code: "INTERNAL", message: "x is not a function", retryable: false });
    expect(error.options.details.stack[0]).toContain("faults.js");
  });
});

describe("the pipe", () => {
  test("closing ends the host and what it started", async () => {
    const { call, fault, read, recorded, dispatcher } = await testDispatcher();
    await fault({ "runtime.observe": { kind: "spawn" } });
    await call("observe");
    const child = Number(await read("child.pid"));
    await dispatcher.close();
    expect(isAlive(recorded[0]!.pid)).toBe(false);
    await until(() => !isAlive(child), "the child is gone");
  });

  test("closing fails the calls in flight", async () => {
    const { call, fault, dispatcher } = await testDispatcher();
    await fault({ "runtime.apply": { kind: "delay", ms: 60_000 } });
    const error = failure(call("apply"));
    await until(() => dispatcher.hosts().length === 1, "the host runs");
    await new Promise((resolve) => setTimeout(resolve, 200));
    await dispatcher.close();
    expect(await error).toMatchObject({ code: "PLUGIN_CRASHED", retryable: true });
  });
});
