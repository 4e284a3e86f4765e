import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_LABEL_BYTES, hostLabel, hostName, isName, serviceUrlVariable } from "../../src/domain/names.ts";

test("a name that is a label stays as it is", () => {
  expect(hostLabel("web-2")).toBe("web-2");
  expect(hostName({ service: "web", environment: "production", project: "shop" })).toBe("web.production.shop.localhost");
});

test("names that would become the same label stay apart", () => {
  const labels = ["preview/login", "preview-login", "preview/Login", "preview_login"].map(hostLabel);
  expect(new Set(labels).size).toBe(4);
  expect(labels[0]).toMatch(/^preview-login-h[0-9a-f]{7}$/);
});

test("every label is one that a host name may have", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 90, unit: "grapheme" }), (name) => {
      const label = hostLabel(name);
      expect(Buffer.byteLength(label)).toBeLessThanOrEqual(MAX_LABEL_BYTES);
      expect(label).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    }),
  );
});

test("long names that begin alike stay apart", () => {
  expect(hostLabel(`${"a".repeat(80)}1`)).not.toBe(hostLabel(`${"a".repeat(80)}2`));
});

test("names of projects and services", () => {
  for (const good of ["a", "shop", "image-worker", "v2"]) expect(isName(good), good).toBe(true);
  for (const bad of ["", "2fast", "Shop", "a_b", "-a", "a-", "a b", "ü", "../x", "a".repeat(41)]) expect(isName(bad), bad).toBe(false);
});

test("a needed service's variable", () => {
  expect(serviceUrlVariable("image-worker")).toBe("HELIX_SERVICE_IMAGE_WORKER_URL");
});
