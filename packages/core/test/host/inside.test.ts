import { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { type Planes, PluginError } from "@helixstack/sdk";
import { describe, expect, test } from "vitest";
import { BATCH_CHARACTERS } from "@helixstack/sdk/turns";
import { frameReader } from "../../src/host/frames.ts";
import { runCall } from "../../src/host/inside/run-call.ts";
import { sender } from "../../src/host/inside/send.ts";
import { type CallMessage, type FromHost, MAX_MESSAGE_BYTES } from "../../src/host/protocol.ts";
import { identity, temporaryFolder } from "./harness.ts";

/** The inside of a host, run here: what it would send is kept. */
async function inside(verbs: object, more: Partial<CallMessage> = {}) {
  const sent: FromHost[] = [];
  const folder = await temporaryFolder();
  const call: CallMessage = {
    type: "call",
    id: 7,
    plane: "runtime",
    verb: "apply",
    identity,
    operationId: "op_1",
    fence: 3,
    workdir: `${folder}/work`,
    input: { prior: null },
    stateVersion: null,
    credit: null,
    ...more,
  };
  const planes = { [call.plane]: verbs } as Planes;
  const send = Object.assign((message: FromHost) => void sent.push(message), {
    items: (id: number, values: readonly string[]) =>
      void sent.push({ type: "items", id, values: values.map((value) => JSON.parse(value) as unknown) }),
  });
  const running = runCall({ planes, config: { region: "here" }, home: folder }, call, send);
  return { running, sent, call };
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

describe("a call inside of the host", () => {
  test("gives the verb its context", async () => {
    const apply = async (ctx: any) => {
      ctx.log.warn("careful", { at: 1 });
      ctx.progress("half way");
      const { config, fence, operationId, identity: who, home, workdir } = ctx;
      return { config, fence, operationId, unit: who.unit, isInside: workdir.startsWith(home) };
    };
    const { running, sent } = await inside({ apply });
    await running.settled;
    const value = { config: { region: "here" }, fence: 3, operationId: "op_1", unit: "unit_1", isInside: true };
    expect(sent).toEqual([
      { type: "log", id: 7, level: "warn", text: "careful", fields: { at: 1 } },
      { type: "progress", id: 7, note: "half way" },
      { type: "result", id: 7, value },
    ]);
  });

  test("keeps `this` for verbs that are methods, and sends nothing as null", async () => {
    const verbs = { seen: 0, apply(this: { seen: number }) { this.seen += 1; } }; // prettier-ignore
    const { running, sent } = await inside(verbs);
    await running.settled;
    expect(sent).toEqual([{ type: "result", id: 7, value: null }]);
    expect(verbs.seen).toBe(1);
  });

  test("waits for secrets, and raises a refusal as a PluginError", async () => {
    const apply = async (ctx: any) => [
      (await ctx.secret("KEY")).reveal(),
      await ctx.resolve({ name: "S", version: "1" }).catch((error: PluginError) => [error.code, error.hint, error.retryable]),
    ];
    const { running, sent } = await inside({ apply });
    await tick();
    expect(sent).toEqual([{ type: "secret", id: 7, request: 1, kind: "credential", name: "KEY", version: "" }]);
    running.answer({ type: "secret", id: 7, request: 1, value: "open sesame" });
    await tick();
    expect(sent[1]).toEqual({ type: "secret", id: 7, request: 2, kind: "application", name: "S", version: "1" });
    running.answer({ type: "secret", id: 7, request: 2, error: { code: "FORBIDDEN", message: "no", hint: "h", retryable: false } });
    await running.settled;
    expect(sent[2]).toEqual({ type: "result", id: 7, value: ["open sesame", ["FORBIDDEN", "h", false]] });
  });

  test("sends a PluginError whole", async () => {
    const error = new PluginError("CONFLICT", "taken", { hint: "h", retryable: false, logs: ["l"], details: { d: 1 } });
    const { running, sent } = await inside({ apply: async () => Promise.reject(error) });
    await running.settled;
    expect(sent).toEqual([
      { type: "error", id: 7, error: { code: "CONFLICT", message: "taken", hint: "h", retryable: false, logs: ["l"], details: { d: 1 } } },
    ]);
  });

  test.each([
    ["an error", () => { throw new TypeError("oops"); }, "oops"], // prettier-ignore
    ["an error without words", () => { throw new Error(); }, "The plugin failed in a way it did not expect."], // prettier-ignore
    ["no error", () => { throw "words"; }, "words"], // prettier-ignore
  ])("sends %s that was thrown as INTERNAL", async (_, apply, message) => {
    const { running, sent } = await inside({ apply });
    await running.settled;
    expect(sent).toMatchObject([{ type: "error", error: { code: "INTERNAL", message } }]);
  });

  test("fires the signal on cancel; what is thrown then is ABORTED", async () => {
    const apply = (ctx: any) => new Promise((_, reject) => ctx.signal.addEventListener("abort", () => reject(new Error("stopped"))));
    const { running, sent } = await inside({ apply });
    running.cancel();
    await running.settled;
    expect(sent).toMatchObject([{ type: "error", error: { code: "ABORTED", message: "stopped" } }]);
  });

  test("refuses a verb that is not there", async () => {
    const { running, sent } = await inside({ apply: async () => null }, { verb: "suspend" });
    await running.settled;
    expect(sent).toMatchObject([{ type: "error", error: { code: "UNSUPPORTED" } }]);
  });

  test("streams as far as its credit goes, and stops when cancelled", async () => {
    async function* logs() {
      for (let i = 1; ; i++) yield `${i}`.padEnd(BATCH_CHARACTERS);
    }
    const { running, sent } = await inside({ logs }, { verb: "logs", credit: 2 });
    await tick();
    const first = (message: FromHost) => "values" in message && Number(message.values[0]);
    expect(sent.map(first)).toEqual([1, 2]);
    running.credit(1);
    await tick();
    expect(sent.map(first)).toEqual([1, 2, 3]);
    running.cancel();
    await running.settled;
    expect(sent.at(-1)).toEqual({ type: "result", id: 7, value: null });
    expect(sent).toHaveLength(4);
  });

  test("sends together what a stream gives in one turn, and before its error what came before", async () => {
    async function* logs() {
      yield* [1, undefined, "three"];
      await tick();
      yield 4;
      throw new PluginError("NOT_FOUND", "gone");
    }
    const { running, sent } = await inside({ logs }, { verb: "logs", credit: 9 });
    await running.settled;
    expect(sent).toMatchObject([{ values: [1, null, "three"] }, { values: [4] }, { type: "error", error: { code: "NOT_FOUND" } }]);
  });

  test("upgrades a state that is older, and only a state that is there", async () => {
    const verbs = { observe: async (_: unknown, input: unknown) => input, upgradeState: ({ from, stored }: any) => ({ from, stored }) };
    const old = await inside(verbs, { verb: "observe", stateVersion: 1, input: { prior: "x", other: 1 } });
    await old.running.settled;
    expect(old.sent).toMatchObject([{ value: { prior: { from: 1, stored: "x" }, other: 1 } }]);
    const none = await inside(verbs, { verb: "observe", stateVersion: 1, input: { prior: null } });
    await none.running.settled;
    expect(none.sent).toMatchObject([{ value: { prior: null } }]);
  });
});

describe("messages", () => {
  test("are put together from whatever pieces they come in", () => {
    const read = frameReader();
    const bytes = Buffer.from('{"a":1}\n{"b":"ü"}\n{"c":3}\n');
    const messages = [...bytes].flatMap((byte) => read(Buffer.from([byte])));
    expect(messages).toEqual([{ a: 1 }, { b: "ü" }, { c: 3 }]);
    expect(read(bytes)).toEqual(messages);
  });

  test.each(["[1]", "null", "7", "{", ""])("%j is none", (line) => {
    expect(() => frameReader()(Buffer.from(`${line}\n`))).toThrow("not a JSON object");
  });

  test("that are too long are cut or become an error", () => {
    const written: string[] = [];
    const pipe = Object.assign(new PassThrough(), { write: (line: string) => written.push(line) }) as unknown as Socket;
    const send = sender(pipe);
    const long = "x".repeat(MAX_MESSAGE_BYTES);
    send({ type: "log", id: 1, level: "info", text: long });
    send({ type: "progress", id: 1, note: long });
    send({ type: "result", id: 1, value: long });
    send({ type: "unusable", message: long });
    send.items(1, [JSON.stringify(long)]);
    const [log, progress, result, unusable, items] = written.map((line) => JSON.parse(line) as any);
    expect(log.text).toMatch(/^x{1000} \[cut/);
    expect(progress.note).toHaveLength(200);
    expect(result).toMatchObject({ type: "error", id: 1, error: { code: "LIMIT_EXCEEDED" } });
    expect(unusable.message).toContain("longer than");
    expect(items).toMatchObject({ type: "error", id: 1, error: { code: "LIMIT_EXCEEDED" } });
  });
});
