import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { watchSource } from "../src/dev/watch-source.ts";
import { readManifestFile } from "../src/project/manifest-file.ts";
import { folderWith } from "./support/folder.ts";

it("tells of a burst of saves once, of ignored files never, and ends with the signal", async () => {
  const cwd = folderWith({
    "helix.yaml": "project: p\nservices: { web: { build: node } }\n",
    "a.js": "",
    "node_modules/x.js": "",
    ".gitignore": "*.log\n",
  });
  const ending = new AbortController();
  const changes = watchSource(readManifestFile({ cwd, environment: "production" }), ending.signal);
  await sleep(500);
  let told = 0;
  const counting = (async () => {
    while (await changes.next()) told++;
  })();
  for (let i = 0; i < 5; i++) writeFileSync(join(cwd, "a.js"), `save ${i}`);
  await expect.poll(() => told, { timeout: 5000 }).toBe(1);
  writeFileSync(join(cwd, "node_modules/x.js"), "changed");
  writeFileSync(join(cwd, "x.log"), "changed");
  await sleep(600);
  expect(told).toBe(1);
  mkdirSync(join(cwd, "lib"));
  writeFileSync(join(cwd, "lib/new.js"), "");
  await expect.poll(() => told, { timeout: 5000 }).toBe(2);
  ending.abort();
  await counting;
});
