import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { processIdentity } from "@helixstack/supervisor";
import { expect, test } from "vitest";
import { ownTemp } from "../../src/main/own-temp.ts";

test("what a killed process left in its folder goes; what others have stays", async () => {
  const root = await mkdtemp(join(tmpdir(), "helix-temp-"));
  const parent = processIdentity(process.ppid)!;
  const living = `${parent.pid}-${parent.startTicks}`;
  for (const name of [living, `${parent.pid}-1`, "note"]) await mkdir(join(root, name));
  await writeFile(join(root, `${parent.pid}-1`, "left"), "behind");
  const own = basename(await ownTemp(root));
  expect(new Set(await readdir(root))).toEqual(new Set([living, "note", own]));
  await rm(root, { recursive: true });
});
