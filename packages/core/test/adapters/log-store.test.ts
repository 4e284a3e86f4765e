import { appendFile, mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openFileLogStore } from "../../src/adapters/stores/file-log-store.ts";
import type { LogStore, StoredLine } from "../../src/ports/stores.ts";
import { eventually } from "../support/eventually.ts";

let root: string;
let store: LogStore;
const stream = "deployment:dep_1";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "helix-logs-"));
  store = await openFileLogStore({ root });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const line = (text: string): StoredLine => ({ at: "2026-11-21T10:00:00.000Z", level: "info", step: "build:web", text });
const path = () => join(root, "deployment+dep_1.jsonl");

async function readAll(after = 0) {
  const lines = [];
  for await (const read of store.read(stream, { after, follow: false })) lines.push(read);
  return lines;
}

it("reads lines in order, and resumes behind any cursor", async () => {
  await store.append(stream, [line("one"), line("two — ünïcödé")]);
  await store.append(stream, [line("three")]);
  const all = await readAll();
  expect(all.map((read) => read.text)).toEqual(["one", "two — ünïcödé", "three"]);
  expect(all[0]).toMatchObject(line("one"));
  for (const [index, { cursor }] of all.entries()) {
    expect((await readAll(cursor)).map((read) => read.text)).toEqual(all.slice(index + 1).map((read) => read.text));
  }
  expect(all.map((read) => read.cursor)).toEqual(all.map((read) => read.cursor).toSorted((a, b) => a - b));
});

it("has nothing for a stream that is not there", async () => {
  expect(await readAll()).toEqual([]);
  expect(await store.tail(stream, 5)).toEqual([]);
  await store.remove(stream);
});

it("keeps lines whole when many append at once", async () => {
  await Promise.all(Array.from({ length: 100 }, (_, i) => store.append(stream, [line(`a${i}`), line(`b${i}`)])));
  const texts = (await readAll()).map((read) => read.text);
  expect(texts).toHaveLength(200);
  for (let i = 0; i < 100; i++) expect(texts.indexOf(`b${i}`)).toBe(texts.indexOf(`a${i}`) + 1);
});

it("passes over a line that a kill tore, and goes on behind it", async () => {
  await store.append(stream, [line("one"), line("torn")]);
  await truncate(path(), 150);
  expect((await readAll()).map((read) => read.text)).toEqual(["one"]);
  await store.append(stream, [line("two")]);
  expect((await readAll()).map((read) => read.text)).toEqual(["one", "two"]);
  expect((await store.tail(stream, 5)).map((read) => read.text)).toEqual(["one", "two"]);
});

it("waits for the rest of a line that is being written", async () => {
  await store.append(stream, [line("one")]);
  await appendFile(path(), JSON.stringify(line("two")));
  expect((await readAll()).map((read) => read.text)).toEqual(["one"]);
  await appendFile(path(), "\n");
  expect((await readAll()).map((read) => read.text)).toEqual(["one", "two"]);
});

it("follows from before the first line until the signal fires", async () => {
  const stop = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const read of store.read(stream, { after: 0, follow: true, signal: stop.signal })) seen.push(read.text);
  })();
  await sleep(50);
  await store.append(stream, [line("one")]);
  await eventually(() => expect(seen).toEqual(["one"]), 3_000);
  const before = performance.now();
  await store.append(stream, [line("two")]);
  await eventually(() => expect(seen).toEqual(["one", "two"]), 3_000);
  expect(performance.now() - before).toBeLessThan(2_000);
  stop.abort();
  await following;
});

it("ends a follower that waits when the signal fires, and one whose signal had fired", async () => {
  const stop = new AbortController();
  const next = store.read(stream, { after: 0, follow: true, signal: stop.signal })[Symbol.asyncIterator]().next();
  stop.abort();
  expect(await next).toMatchObject({ done: true });
  const late = store.read(stream, { after: 0, follow: true, signal: stop.signal })[Symbol.asyncIterator]().next();
  expect(await late).toMatchObject({ done: true });
});

it("reads the last lines of a long log without reading it all", async () => {
  const lines = Array.from({ length: 5_000 }, (_, i) => line(`line ${i} ${"x".repeat(100)}`));
  await store.append(stream, lines);
  const tail = await store.tail(stream, 1_000);
  expect(tail).toHaveLength(1_000);
  expect(tail[0]!.text).toMatch(/^line 4000 /);
  expect(tail.at(-1)!.text).toMatch(/^line 4999 /);
  expect(await store.tail(stream, 10_000)).toHaveLength(5_000);
  expect((await readAll()).map((read) => read.text)).toEqual(lines.map((one) => one.text));
});

it("tails lines that are longer than what it reads at once", async () => {
  const long = "y".repeat(60_000);
  await store.append(stream, [line(`a${long}`), line(`b${long}`), line(`c${long}`)]);
  expect((await store.tail(stream, 2)).map((read) => read.text[0])).toEqual(["b", "c"]);
});

it("stops a stream that grows without end, and says so in it", async () => {
  store = await openFileLogStore({ root, maxStreamBytes: 5_000 });
  for (let i = 0; i < 100; i++) await store.append(stream, [line(`line ${i}`), line("more")]);
  const all = await readAll();
  expect(all.length).toBeLessThan(70);
  expect(all.filter((read) => /log is full/.test(read.text))).toHaveLength(1);
  expect(all.at(-1)!.text).toMatch(/log is full/);
});

it.each(["../../etc/passwd", "a/b", "", ".", "a\0"])("refuses the stream name %j", async (name) => {
  expect(() => store.append(name, [line("x")])).toThrow(expect.objectContaining({ code: "BUG" }) as Error);
});
