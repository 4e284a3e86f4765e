import { expect, test } from "vitest";
import { sourceDigest, type SourceEntry } from "../../src/domain/source-digest.ts";

const file = (path: string, digest = "sha256:1"): SourceEntry => ({ path, type: "file", mode: "644", digest });
const FILES = [file("helix.yaml"), file("web/index.js"), file("web/lib/a.js"), file("webby/b.js"), file("site/index.html")];

test("only what lies below the folder counts, wherever that lies", () => {
  const web = sourceDigest(FILES, "web");
  expect(sourceDigest(FILES, "./web/")).toBe(web);
  expect(sourceDigest([file("lib/a.js"), file("index.js")], ".")).toBe(web);
  expect(sourceDigest([...FILES, file("site/new.html"), file("webby/c.js")], "web")).toBe(web);
});

test("a changed file, mode or name is another source", () => {
  const all = sourceDigest(FILES, ".");
  expect(sourceDigest([...FILES.slice(0, 4), file("site/index.html", "sha256:2")], ".")).not.toBe(all);
  expect(sourceDigest([...FILES.slice(0, 4), { ...file("site/index.html"), mode: "755" }], ".")).not.toBe(all);
  expect(sourceDigest([...FILES.slice(0, 4), file("site/home.html")], ".")).not.toBe(all);
});

test("the manifest is not source", () => {
  expect(sourceDigest([...FILES.slice(1), file("helix.yaml", "sha256:9")], ".")).toBe(sourceDigest(FILES, "."));
});
