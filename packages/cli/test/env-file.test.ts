import { parseEnv } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeEnvText, parseEnvText } from "../src/secrets/env-file.ts";
import { checkName } from "../src/secrets/place.ts";

describe("a .env file", () => {
  it("has values, and names that cannot be secrets, with the reason", () => {
    const { values, skipped } = parseEnvText('A=1\n# c\nexport B="two words"\nPORT=3000\nEMPTY=\nHELIX_X=1\n');
    expect(values).toEqual({ A: "1", B: "two words" });
    expect(skipped.map(({ name }) => name).toSorted()).toEqual(["EMPTY", "HELIX_X", "PORT"]);
  });

  it("keeps comments, order and what the store does not know", () => {
    const text = "# settings\nA=old # why\nexport B='keep'\nLOCAL=1\n";
    expect(mergeEnvText(text, { A: "new value", B: "keep", C: "added" })).toBe(
      "# settings\nA='new value'\nexport B='keep'\nLOCAL=1\nC=added\n",
    );
  });

  it("is read back as it was merged, whatever the values are", () => {
    const name = fc.constantFrom("A", "B", "LONG_NAME");
    const value = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !/["'`\\\r]/.test(text) || !/['"]/.test(text));
    fc.assert(
      fc.property(fc.dictionary(name, value), (values) => {
        let merged: string;
        try {
          merged = mergeEnvText("# first\nA=1\nB='x'\n", values);
        } catch (error) {
          expect((error as { code: string }).code).toBe("SECRET_INVALID");
          return;
        }
        expect(parseEnv(merged)).toMatchObject(values);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("the name of a secret", () => {
  it("is refused with a value behind it, and the value is not repeated", () => {
    expect(checkName("DATABASE_URL")).toBe("DATABASE_URL");
    const refused = (typed: string) => {
      try {
        checkName(typed);
        return "";
      } catch (error) {
        return `${(error as Error).message}`;
      }
    };
    expect(refused("A=hunter2hunter2")).toMatch(/does not belong on the command line/);
    for (const typed of ["A=hunter2hunter2", "hunter2-hunter2"]) expect(refused(typed)).not.toContain("hunter2");
  });
});
