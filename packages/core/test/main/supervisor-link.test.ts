import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SupervisorClient, SupervisorError } from "@helixstack/supervisor";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SupervisorLink, linkSupervisor } from "../../src/main/supervisor-link.ts";
import { createLogger } from "../../src/telemetry/index.ts";

let home: string;
let link: SupervisorLink;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "helix-link-"));
  link = linkSupervisor({ home, logger: createLogger({ level: "error", role: "test" }) });
});
afterAll(async () => {
  // Before the supervisor ends: the link would start it again.
  link.close();
  const supervisor = await SupervisorClient.connect(home);
  await supervisor.shutdown({ stopUnits: "all", graceMs: 0 });
  await rm(home, { recursive: true, force: true });
});

test("what a supervisor was asked for when it died, its successor does", async () => {
  const { pid } = await link.ask("ask who it is", (supervisor) => supervisor.ping());
  const asked: number[] = [];
  const successor = await link.ask("ask who it is", async (supervisor) => {
    if (asked.push(1) === 1) process.kill(pid, "SIGKILL");
    return supervisor.ping();
  });
  expect(asked.length).toBeGreaterThan(1);
  expect(successor.pid).not.toBe(pid);
});

test("a refusal is not asked for again", async () => {
  let asked = 0;
  const refused = link.ask("freeze", (supervisor) => {
    asked++;
    return supervisor.freeze("nobody");
  });
  await expect(refused).rejects.toBeInstanceOf(SupervisorError);
  expect(asked).toBe(1);
});

test("one that dies again and again is unavailable, and said to be", async () => {
  const refused = link.ask("list processes", () => Promise.reject(new SupervisorError("UNAVAILABLE", "the connection was closed")));
  await expect(refused).rejects.toMatchObject({ code: "UNAVAILABLE", message: "list processes: the connection was closed" });
});
