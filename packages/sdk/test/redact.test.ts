import fc from "fast-check";
import { expect, test } from "vitest";
import { createRedactor } from "../src/redact/index.ts";

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

test("masks the forms in which programs write a value", () => {
  const value = 'p@ss/w"ö&1\tx y+z';
  const { add, text } = createRedactor({ shapes: false });
  add(value);
  const bytes = Buffer.from(value);
  const texts = [
    ...[0, 1, 2].map((offset) => Buffer.concat([Buffer.from("ab".slice(0, offset)), bytes, Buffer.from("tail")]).toString("base64")),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    encodeURIComponent(value),
    new URLSearchParams({ q: value }).toString(),
    JSON.stringify({ value }),
    JSON.stringify(JSON.stringify({ value })),
    bytes.toString("base64url"),
  ];
  for (const one of texts) expect(text(`before ${one} after`), one).toMatch(/^before .*\[secret\].* after$/);
});

test("masks what is known by its shape, and leaves alone what is not", () => {
  const { text } = createRedactor();
  const aws = `AKIA${"A1B2C3D4".repeat(2)}`;
  expect(text(`key ${aws}, done`)).toBe("key [secret], done");
  expect(text("postgres://app:hunter2@db/x")).toBe("postgres://app:[secret]@db/x");
  expect(text("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\nnext")).toBe("[secret]\nnext");
  const plain = "GET /v1/orders?id=5 took 12 ms; see https://example.com/a:b and eyJ alone";
  expect(text(plain)).toBe(plain);
});

test("a shape that comes in pieces is masked, and a line that ends is not held back", () => {
  const stream = createRedactor().stream();
  expect(stream.push("token ghp_")).toBe("token ");
  expect(stream.push(`${"a".repeat(36)} ok\n`)).toBe("[secret] ok\n");
  expect(stream.push("prompt>")).toBe("");
  expect(stream.settle()).toBe("prompt>");
});

test("half a value is never told while the other half may come", () => {
  const redactor = createRedactor({ shapes: false });
  redactor.add("first-half-second-half");
  const stream = redactor.stream();
  expect(stream.push("x first-half")).toBe("x ");
  expect(stream.settle()).toBe("");
  expect(stream.push("-second-half y")).toBe("[secret] y");
  expect(stream.push("first-half")).toBe("");
  expect(stream.flush()).toBe("first-half");
});

/** Values as people have them: words, keys, lines, quotes, other alphabets. */
const value = fc.oneof(
  fc.string({ minLength: 6, maxLength: 40 }),
  fc.string({ unit: "grapheme", minLength: 6, maxLength: 30 }),
  fc.base64String({ minLength: 8, maxLength: 64 }),
  fc.stringMatching(/^[ab]{6,12}$/),
);
const forms: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => encodeURIComponent(text.toWellFormed()),
  (text) => Buffer.from(text).toString("hex"),
  (text) =>
    Buffer.from(text)
      .toString("base64")
      .slice(0, Math.floor((Buffer.byteLength(text) * 8) / 6)),
  (text) =>
    Buffer.from(`a${text}`)
      .toString("base64")
      .slice(2, Math.floor(((Buffer.byteLength(text) + 1) * 8) / 6)),
  (text) =>
    Buffer.from(`ab${text}`)
      .toString("base64")
      .slice(3, Math.floor(((Buffer.byteLength(text) + 2) * 8) / 6)),
];

test("10,000 random cases: nothing leaks across any border of chunks, and no other text is touched", () => {
  const part = fc.oneof(fc.string({ maxLength: 20 }), fc.stringMatching(/^[ab]{0,8}$/), fc.tuple(fc.nat(5), fc.nat(6)));
  const input = fc.record({
    values: fc.array(value, { minLength: 1, maxLength: 5 }),
    parts: fc.array(part, { maxLength: 12 }),
    cuts: fc.array(fc.nat(600), { maxLength: 12 }),
  });
  fc.assert(
    fc.property(input, ({ values, parts, cuts }) => {
      const redactor = createRedactor({ shapes: false });
      for (const one of values) redactor.add(one);
      const text = parts.map((one) => (typeof one === "string" ? one : forms[one[1]]!(values[one[0] % values.length]!))).join("");
      const borders = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
      const stream = redactor.stream();
      const output =
        borders
          .slice(1)
          .map((end, i) => stream.push(text.slice(borders[i], end)))
          .join("") + stream.flush();
      expect(output).toBe(redactor.text(text));
      // Independently of how the redactor finds them: what stands between masks stood in the text, in order, and holds no form of any value.
      const needles = values.flatMap((one) => forms.map((form) => form(one))).filter((needle) => needle.length >= 6);
      let at = 0;
      for (const kept of output.split("[secret]")) {
        at = text.indexOf(kept, at);
        expect(at).toBeGreaterThanOrEqual(0);
        at += kept.length;
        for (const needle of needles) expect(kept).not.toContain(needle);
      }
      if (!needles.some((needle) => text.includes(needle)) && output !== text) {
        // Only a line of a value, or a value without the white space around it, can have been masked.
        const lines = values.flatMap((one) => [one, one.trim(), ...one.split(/\r?\n/).map((line) => line.trim())]);
        expect(lines.some((line) => line.length >= 4 && forms.some((form) => text.includes(form(line))))).toBe(true);
      }
    }),
    { numRuns: 10_000 },
  );
}, 120_000);
