import { appendFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tableFile } from "@helixstack/route-tables";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Upstream, get, makeUpstream, target, until } from "../../../test/delivery/tools.ts";
import { journalFile } from "../src/journal.ts";
import { turnsOf } from "../src/slots.ts";
import { type World, isHere, makeWorld } from "./world.ts";

describe("turns", () => {
  const turns = (...weights: readonly number[]) =>
    turnsOf(weights.map((weight, i) => target(i + 1, { weight }))).map(({ revision }) => revision.at(-1));

  it("come smoothly, in the smallest whole numbers", () => {
    expect(turns(30, 10)).toEqual(["1", "1", "2", "1"]);
    expect(turns(1, 1, 1)).toEqual(["1", "2", "3"]);
    expect(turns(0, 5)).toEqual(["2"]);
    expect(turns(0)).toEqual([]);
  });

  it("are at most a hundred, and everybody has one", () => {
    const many = turns(9999, 1);
    expect(many.length).toBeLessThanOrEqual(101);
    expect(many).toContain("2");
    expect(turns(0.3, 0.1)).toEqual(["1", "1", "2", "1"]);
  });
});

describe.skipIf(!isHere)("haproxy: the program is on this machine", () => {
  let world: World;
  let app: Upstream;

  beforeAll(async () => {
    world = await makeWorld();
    app = await makeUpstream((_req, res) => void res.end("ok"));
  });

  afterAll(async () => {
    await app?.close();
    await world?.stop();
  });

  it("a batch of the journal that has no end does not count, and what comes after it does", async () => {
    const observed = await world.apply([{ targets: [target(app.port)] }]);
    const port = observed.addresses[0]?.address.port ?? 0;
    await appendFile(journalFile(world.config.stateDir), `\n>\nports ${port} nowhere/web\ntables `);
    await world.kill();
    await world.start();
    expect((await get(port)).body).toBe("ok");
    await world.apply([{ targets: [target(app.port), target(app.port, { revision: "second" })] }]);
    await world.kill();
    await world.start();
    expect((await get(port)).body).toBe("ok");
  });

  it("a switch that was interrupted before its record is undone by the next change, whoever asks for it", async () => {
    const { stateDir } = world.config;
    const routes = [{ targets: [target(app.port)], hosts: ["lost.localhost"] }];
    const interrupted = async (): Promise<void> => {
      await world.apply(routes, { unit: "lost" });
      await rm(tableFile(stateDir, { installation: "inst", unit: "lost" }));
      await truncate(journalFile(stateDir), (await stat(journalFile(stateDir))).size - "=\n".length);
    };
    await interrupted();
    await world.delivery.destroy(world.ctx("lost"), { prior: null });
    const { addresses } = await world.apply(routes, { unit: "finder" });
    const http = Number(new URL(addresses[0]?.url ?? "").port);
    await world.delivery.destroy(world.ctx("finder"), { prior: null });
    await interrupted();
    await world.apply([{ targets: [target(app.port)] }]);
    expect((await get(http, { headers: { host: "lost.localhost" } })).status).toBe(404);
    await world.kill();
    await world.start();
    expect((await get(http, { headers: { host: "lost.localhost" } })).status).toBe(404);
  });

  it("a long journal is shortened by the next change, in a process that has changed nothing yet", async () => {
    const { stateDir } = world.config;
    await world.apply([{ targets: [target(app.port)] }]);
    await appendFile(journalFile(stateDir), `${"# nothing\n".repeat(500_000)}\n>\n.\n=\n`);
    await world.apply([{ targets: [target(app.port)] }]);
    expect((await stat(journalFile(stateDir))).size).toBeLessThan(100_000);
  });

  it("a HAProxy that was stopped serves nothing as observed, and is started by the next switch", async () => {
    await world.apply([{ targets: [target(app.port)] }]);
    await world.kill();
    expect(await world.delivery.observe(world.ctx(), { prior: null })).toBeNull();
    const observed = await world.apply([{ targets: [target(app.port)] }]);
    expect((await get(observed.addresses[0]?.address.port ?? 0)).body).toBe("ok");
  });

  it("HAProxy that dies by itself is back without anybody's call", async () => {
    const observed = await world.apply([{ targets: [target(app.port)] }]);
    const port = observed.addresses[0]?.address.port ?? 0;
    process.kill(await world.pid(), "SIGKILL");
    await until(async () => (await get(port).catch(() => null))?.body === "ok", 5000);
  });

  it("a configuration that was changed by hand is put right by the next switch", async () => {
    await writeFile(join(world.config.stateDir, "haproxy.cfg"), "nonsense\n");
    const observed = await world.apply([{ targets: [target(app.port)] }]);
    expect((await get(observed.addresses[0]?.address.port ?? 0)).body).toBe("ok");
  });
});
