import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { BATCH_CHARACTERS, inTurns } from "../src/turns.ts";

const write = String;

async function all(batches: AsyncIterable<readonly string[]>): Promise<(readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for await (const batch of batches) found.push(batch);
  return found;
}

test("what comes in one turn comes together", async () => {
  async function* source() {
    yield* [1, 2, 3];
    await sleep(5);
    yield 4;
  }
  expect(await all(inTurns(source(), { write }))).toEqual([["1", "2", "3"], ["4"]]);
});

test("after a batch the next one grows for the rest, and what comes later does not wait", async () => {
  async function* source() {
    for (let i = 0; i < 4; i++) {
      yield i;
      await sleep(10);
    }
    await sleep(60);
    yield 4;
  }
  const began = performance.now();
  const batches = await all(inTurns(source(), { write, restMs: 60 }));
  expect(batches[0]).toEqual(["0"]);
  expect(batches[1]!.length).toBeGreaterThan(1);
  expect(batches.flat()).toEqual(["0", "1", "2", "3", "4"]);
  expect(performance.now() - began).toBeLessThan(1000);
});

test("a source is asked for no more than a batch while nobody takes", async () => {
  let made = 0;
  async function* source() {
    for (;;) yield String(++made).padEnd(BATCH_CHARACTERS / 4);
  }
  const batches = inTurns(source(), { write });
  expect((await batches.next()).value).toHaveLength(4);
  await sleep(20);
  expect(made).toBeLessThanOrEqual(9);
  expect(Number(((await batches.next()).value as string[])[0])).toBe(5);
  await batches.return();
});

test("an error comes after what came before, also one of writing", async () => {
  async function* source() {
    yield* [1, 2];
    throw new Error("broke off");
  }
  const batches = inTurns(source(), { write });
  expect((await batches.next()).value).toEqual(["1", "2"]);
  await expect(batches.next()).rejects.toThrow("broke off");
  const circle: unknown[] = [];
  circle.push(circle);
  const written = inTurns(one(circle), { write: (item) => JSON.stringify(item) });
  await expect(written.next()).rejects.toThrow("circular");
});

async function* one<T>(item: T): AsyncGenerator<T> {
  yield item;
}

test("the signal ends it, also while its source waits, and the source is told", async () => {
  const abort = new AbortController();
  let isTold = false;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      return: () => {
        isTold = true;
        return Promise.resolve({ done: true as const, value: undefined });
      },
    }),
  };
  setTimeout(() => abort.abort(), 10);
  expect(await all(inTurns(source, { write, signal: abort.signal }))).toEqual([]);
  expect(isTold).toBe(true);
});
