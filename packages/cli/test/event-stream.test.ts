import { expect, it } from "vitest";
import { readEvents } from "../src/client/event-stream.ts";

async function* chunks(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text);
}
async function all(...texts: string[]) {
  const events = [];
  for await (const event of readEvents(chunks(...texts))) events.push(event);
  return events;
}

it("reads events however they are cut", async () => {
  const text = 'id: 7\nevent: step\ndata: {"a":\ndata: 1}\n\n: keep-alive\n\ndata: ü\r\n\r\n';
  const expected = [
    { id: "7", event: "step", data: '{"a":\n1}' },
    { id: "7", event: "message", data: "ü" },
  ];
  expect(await all(text)).toEqual(expected);
  const bytes = new TextEncoder().encode(text);
  async function* single() {
    for (const byte of bytes) yield Uint8Array.of(byte);
  }
  const events = [];
  for await (const event of readEvents(single())) events.push(event);
  expect(events).toEqual(expected);
});

it("drops what is not complete", async () => {
  expect(await all("data: one\n\ndata: tw")).toEqual([{ id: "", event: "message", data: "one" }]);
});

it("keeps the id and forgets the event's name between events", async () => {
  expect(await all("id: 1\nevent: a\ndata: x\n\n", "data: y\n\n")).toEqual([
    { id: "1", event: "a", data: "x" },
    { id: "1", event: "message", data: "y" },
  ]);
});
