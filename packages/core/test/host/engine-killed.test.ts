import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { FIXTURES, isAlive, temporaryFolder, until } from "./harness.ts";

const ENGINE = fileURLToPath(new URL("engine-to-kill.mjs", import.meta.url));

test.each([
  ["that is idle", "free"],
  ["whose thread is blocked", "blocked"],
])("a host %s ends with all it started when the engine is killed", async (_, state) => {
  const home = await temporaryFolder();
  await writeFile(
    join(home, "faults.json"),
    JSON.stringify({ "runtime.observe": { kind: "spawn" }, "runtime.destroy": { kind: "block" } }),
  );
  const engine = spawn(process.execPath, [ENGINE, FIXTURES, home, state], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void engine.kill("SIGKILL"));
  const [line] = (await once(engine.stdout, "data")) as [Buffer];
  const host = Number(line.toString());
  const child = Number(await readFile(join(home, "child.pid"), "utf8"));
  // Long enough for the call that blocks to have arrived.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([isAlive(host), isAlive(child)]).toEqual([true, true]);

  engine.kill("SIGKILL");
  await until(() => !isAlive(host), "the host is gone");
  await until(() => !isAlive(child), "the host's child is gone");
});
