import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PLUGIN_ERRORS } from "@helixstack/sdk";
import { expect, test } from "vitest";
import { ENGINE_ERRORS, EXIT, type ErrorCode, errorRow } from "../../packages/core/src/domain/errors.ts";
import { root } from "./source-file.ts";

const codes = [...Object.keys(ENGINE_ERRORS), ...Object.keys(PLUGIN_ERRORS)] as ErrorCode[];
const page = readFileSync(join(root, "docs/errors.md"), "utf8");

test("no code is in both tables", () => {
  expect(codes.length).toBe(new Set(codes).size);
});

test("docs/errors.md has exactly the codes of the tables, each with its sentence and hint", () => {
  const sections = page.split(/^### /m).slice(1);
  expect(sections.map((section) => section.split("\n")[0]).toSorted()).toEqual(codes.toSorted());
  for (const section of sections) {
    const { sentence, hint, exit, status } = errorRow(section.split("\n")[0] as ErrorCode);
    expect(section).toContain(sentence);
    expect(section).toContain(hint);
    expect(section).toContain(`Exit code ${exit}, HTTP status ${status}`);
  }
});

test.each(codes)("%s reads well", (code) => {
  const { sentence, hint, exit, status } = errorRow(code);
  expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  expect(sentence).toMatch(/^\S.*\.$/);
  expect(hint).toMatch(/^\S.*[.)]$/);
  expect(Object.values<number>(EXIT).filter((known) => known !== EXIT.ok)).toContain(exit);
  expect(status).toBeGreaterThanOrEqual(400);
});
