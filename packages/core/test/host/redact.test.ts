import { expect, test } from "vitest";
import { logLines } from "../../src/host/log-lines.ts";
import { createRedactor } from "../../src/host/redact.ts";

test("masks every value, the longer first, wherever it stands", () => {
  const { add, text, deep } = createRedactor();
  add("pass");
  add("password");
  expect(text("my password, my pass, passwordpass")).toBe("my [secret], my [secret], [secret][secret]");
  expect(deep({ a: ["pass", 1, null], b: { c: "the password" } })).toEqual({ a: ["[secret]", 1, null], b: { c: "the [secret]" } });
});

test("masks each line of a value of several lines, since text comes by lines", () => {
  const { add, text } = createRedactor();
  add("-----BEGIN KEY-----\nMIIBVgIBADAN\n-----END KEY-----\n");
  expect(text("loaded MIIBVgIBADAN")).toBe("loaded [secret]");
});

test("leaves alone what is too short to be a secret", () => {
  const { add, text } = createRedactor();
  add("");
  add("on");
  expect(text("on and on")).toBe("on and on");
});

test("a log call becomes lines with its fields at the end", () => {
  expect(logLines("started", { port: 3000, host: "a b", name: "web", list: [1] })).toEqual([
    'started port=3000 host="a b" name=web list=[1]',
  ]);
  expect(logLines("one\ntwo\r\nthree", undefined)).toEqual(["one", "two", "three"]);
  expect(logLines("x".repeat(20_000), {})[0]).toMatch(/^x{16384} \[cut\]$/);
});
