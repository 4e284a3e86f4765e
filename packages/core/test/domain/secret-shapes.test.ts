import { expect, test } from "vitest";
import { maskInput } from "../../src/domain/mask-input.ts";
import { SECRET_SHAPES, knownSecret, secretKind } from "../../src/domain/secret-shapes.ts";

// Put together here, so that nobody who looks for secrets in this repository finds any.
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "private key": ["-----BEGIN RSA PRIVATE", " KEY-----"],
  "AWS access key": ["ASIA", "ABCDEFGHIJKLMNOP"],
  "GitHub token": ["gho_", "abcdefghijklmnopqrstuvwxyz0123456789"],
  "GitLab token": ["glpat-", "abcdefghijklmnopqrst"],
  "Slack token": ["xoxb-", "0123456789-abc"],
  "Stripe key": ["rk_live_", "0123456789abcdef"],
  "Google API key": ["AIza", "0123456789abcdefghijklmnopqrstuvwxy"],
  "npm token": ["npm_", "abcdefghijklmnopqrstuvwxyz0123456789"],
  "JSON web token": ["eyJ", "hbGciOiJIUzI1", ".eyJzdWIiOiIx", ".SflKxwRJSMeKKF"],
  "password in a URL": ["postgres://user:", "hunter22@host/db"],
};

test("a secret of every known shape is found wherever it stands, and other text is not", () => {
  expect(Object.keys(KNOWN).toSorted()).toEqual(SECRET_SHAPES.patterns.map(({ name }) => name).toSorted());
  for (const [kind, parts] of Object.entries(KNOWN)) {
    expect(knownSecret(parts.join(""))).toBe(kind);
    expect(knownSecret(`before ${parts.join("")} after`)).toBe(kind);
  }
  for (const text of ["", "a sentence", "https://example.org/a:b", "npm_config_cache", "eyJ", "xox"]) expect(knownSecret(text)).toBeNull();
});

test("a variable's name or its value's entropy make it a likely one", () => {
  expect(secretKind("DB_PASSWORD", "abcdef")).toBe("likely secret");
  expect(secretKind("SETTING", "q8Zr2LmX7vTb4KpN9sWd1HcY")).toBe("likely secret");
  expect(secretKind("TOKEN_TTL", "abcdef")).toBeNull();
});

test("what is found in one place is masked in every place", () => {
  const [key, password] = [KNOWN["AWS access key"]!.join(""), "hunter22"];
  const masked = maskInput({
    services: { web: { env: { KEY_ID: key, A: "b" } } },
    message: `logs in with ${password}`,
    changes: [{ path: "env.DB_PASSWORD", from: null, to: password }],
  });
  expect(masked).toEqual({
    services: { web: { env: { KEY_ID: "[masked: AWS access key]", A: "b" } } },
    message: "logs in with [masked: likely secret]",
    changes: [{ path: "env.DB_PASSWORD", from: null, to: "[masked: likely secret]" }],
  });
});
