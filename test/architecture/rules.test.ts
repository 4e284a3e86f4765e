import { describe, expect, test } from "vitest";
import { rules } from "./rules/index.ts";
import { sourceTree } from "./source-file.ts";

const files = sourceTree();

describe("the code", () => {
  test("is found", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(files.flatMap(({ imports }) => imports).length).toBeGreaterThan(300);
  });

  test.each(rules.map((rule) => [rule.name, rule] as const))("%s", (_, rule) => {
    expect(rule.check(files)).toEqual([]);
  });
});
