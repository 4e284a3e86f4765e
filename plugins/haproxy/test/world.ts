import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SupervisorClient, startSupervisor } from "@helixstack/supervisor";
import Value from "typebox/value";
import { contextOf, tableOf, until } from "../../../test/delivery/tools.ts";
import type { DeliveryWorld } from "../../../test/delivery/world.ts";
import { type HaproxyConfig, configSchema } from "../src/config.ts";
import { delivery } from "../src/delivery.ts";
import { RuntimeApi } from "../src/runtime-api.ts";

export const PROGRAM = "/usr/sbin/haproxy";
export const isHere = existsSync(PROGRAM);

export interface World extends DeliveryWorld<HaproxyConfig> {
  readonly config: HaproxyConfig;
  readonly supervisor: SupervisorClient;
  readonly pid: () => Promise<number>;
}

/** A real HAProxy under a real supervisor. `firstPort`: each world needs ports of its own. */
export async function makeWorld(options: Partial<Pick<HaproxyConfig, "limits" | "ports">> = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "hx-"));
  const supervisor = await startSupervisor({ home: folder, resume: false });
  const config = Value.Default(configSchema, {
    home: folder,
    socket: join(folder, "haproxy.sock"),
    stateDir: join(folder, "state"),
    httpPort: 0,
    ports: { first: 21_000 + Math.floor(Math.random() * 9_000), count: 60 },
    limits: {},
    ...options,
  }) as HaproxyConfig;
  let generation = 0;
  const own = `unit-${randomUUID()}`;
  const ctx = (unit = own) => contextOf(config, unit);
  const answers = () =>
    RuntimeApi.open(config.socket).then(
      (api) =>
        api.ask("show version").then(
          () => (api.close(), true),
          () => false,
        ),
      () => false,
    );
  const pid = async () => (await supervisor.status("haproxy"))?.pid ?? 0;
  const apply: World["apply"] = async (routes, { unit, generation: given } = {}) => {
    const asked = given ?? generation + 1;
    generation = Math.max(generation, asked);
    return delivery.apply(ctx(unit), { table: tableOf(asked, routes), prior: null });
  };
  return {
    delivery,
    config,
    supervisor,
    unit: own,
    ctx,
    apply,
    pid,
    start: async () => {
      await supervisor.thaw("haproxy");
      await until(answers, 15_000);
    },
    kill: async () => {
      await supervisor.stop("haproxy", { graceMs: 0 });
    },
    stop: async () => {
      await supervisor.shutdown({ stopUnits: "all", graceMs: 0 });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
