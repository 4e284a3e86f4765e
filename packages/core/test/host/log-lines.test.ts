import { expect, test } from "vitest";
import { logLines } from "../../src/host/log-lines.ts";

test("a log call becomes lines with its fields at the end", () => {
  expect(logLines("started", { port: 3000, host: "a b", name: "web", list: [1] })).toEqual([
    'started port=3000 host="a b" name=web list=[1]',
  ]);
  expect(logLines("one\ntwo\r\nthree", undefined)).toEqual(["one", "two", "three"]);
  expect(logLines("x".repeat(20_000), {})[0]).toMatch(/^x{16384} \[cut\]$/);
});
