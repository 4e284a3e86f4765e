import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type BuildPlane, type DeliveryPlane, PluginError, type RuntimePlane, definePlugin, specDigest } from "@helixstack/sdk";
import { Type } from "typebox";
import { observedRevision, observedTable, ownedBy, said } from "./views.ts";
import { changeWorld, readWorld } from "./world.ts";

const build: BuildPlane = {
  produces: ["node-bundle", "static-site"],
  spec: Type.Object({}),
  toolchain: async () => "memory 1",
  detect: async () => ({ fits: false, why: "the memory builder is chosen by name only", confidence: 0 }),
  async build(_ctx, { source, start, output }) {
    await cp(source, output, { recursive: true });
    if (start === null) return { kind: "static-site", metadata: { fallback: null }, image: null };
    return { kind: "node-bundle", metadata: { start: start.split(/\s+/), env: {}, node: null }, image: null };
  },
};

const runtime: RuntimePlane = {
  accepts: ["node-bundle", "static-site", "oci-image", "worker-bundle"],
  exposes: "none",
  // An address that revisions claim to answer at, for tests that have something there.
  spec: Type.Object({ endpoint: Type.Optional(Type.Object({ host: Type.String(), port: Type.Integer() })) }),
  state: Type.Object({}),
  stateVersion: 1,
  fencing: "fence",

  async observe({ home, identity }) {
    const found = (await readWorld(home)).revisions[identity.revision];
    return found ? observedRevision(found) : null;
  },
  plan({ spec, observed }) {
    const [from, to] = [observed?.specDigest ?? null, specDigest(spec)];
    if (from === to && observed?.phase === "running") return [];
    return [{ action: observed ? "update" : "create", path: "", from, to }];
  },
  apply: (ctx, { spec }) =>
    changeWorld(ctx, ({ revisions }, id) => {
      const lines = revisions[id]?.lines ?? [];
      const isNew = revisions[id]?.phase !== "running";
      revisions[id] = { identity: ctx.identity, spec, phase: "running", lines: isNew ? said(lines, "running") : lines };
      return observedRevision(revisions[id]);
    }),
  suspend: (ctx, { how }) =>
    changeWorld(ctx, ({ revisions }, id) => {
      const old = revisions[id];
      if (!old) throw new PluginError("NOT_FOUND", `there is no revision ${id}`);
      const phase = how === "freeze" ? "frozen" : "stopped";
      revisions[id] = { ...old, phase, lines: said(old.lines, phase) };
      return observedRevision(revisions[id]);
    }),
  destroy: (ctx) => changeWorld(ctx, ({ revisions }, id) => void delete revisions[id]),
  async list({ home }, { installation }) {
    const { revisions, volumes } = await readWorld(home);
    return [...ownedBy(installation, revisions, "revision"), ...ownedBy(installation, volumes, "volume")];
  },
  async *logs({ home, identity, signal }, { follow, tail, after }) {
    let cursor = Number(after ?? 0);
    for (let first = true; first || (follow && !signal.aborted); first = false) {
      const lines = (await readWorld(home)).revisions[identity.revision]?.lines ?? [];
      const fresh = lines.filter((line) => Number(line.cursor) > cursor);
      yield* first && tail !== null ? fresh.slice(-tail) : fresh;
      cursor = Number(lines.at(-1)?.cursor ?? cursor);
      if (follow) await sleep(50);
    }
  },
  async run({ log }, { name, command: [program, argument] }) {
    log.info(`task ${name}: ${program}`);
    // `exit 3` ends as a command that fails would.
    return { exitCode: program === "exit" ? Number(argument) : 0, logs: [`${name} ran`] };
  },
  async ensureVolume(ctx) {
    const handle = { kind: "host-path", id: join(ctx.home, "volumes", ctx.identity.unit) };
    await mkdir(handle.id, { recursive: true });
    await changeWorld(ctx, ({ volumes }, id) => (volumes[id] = { identity: ctx.identity, handle }));
    return handle;
  },
  async destroyVolume(ctx, { handle }) {
    await rm(handle.id, { recursive: true, force: true });
    await changeWorld(ctx, ({ volumes }, id) => delete volumes[id]);
  },
};

const delivery: DeliveryPlane = {
  routes: ["none", "http"],
  state: Type.Object({}),
  stateVersion: 1,
  fencing: "fence",

  async observe({ home, identity }) {
    const found = (await readWorld(home)).tables[identity.unit];
    return found ? observedTable(found) : null;
  },
  plan({ table, observed }) {
    const [from, to] = [observed?.table.routes ?? null, table.routes];
    return specDigest(from) === specDigest(to) ? [] : [{ action: observed ? "update" : "create", path: "", from, to }];
  },
  apply: (ctx, { table }) =>
    changeWorld(ctx, ({ tables }, id) => {
      const { generation } = tables[id]?.table ?? { generation: 0 };
      if (table.generation < generation)
        throw new PluginError("STALE_FENCE", `generation ${generation} is served, this call has ${table.generation}`);
      tables[id] = { identity: ctx.identity, table };
      return observedTable(tables[id]);
    }),
  destroy: (ctx) => changeWorld(ctx, ({ tables }, id) => void delete tables[id]),
  list: async ({ home }, { installation }) => ownedBy(installation, (await readWorld(home)).tables, "routes"),
  drain: async () => ({ closed: 0, waitedMs: 0 }),
  async stats({ home }) {
    const targets = Object.values((await readWorld(home)).tables).flatMap(({ table }) => table.routes.flatMap((route) => route.targets));
    return targets.map(({ revision, release }) => ({ revision, release, requests: 0, failures: 0, inFlight: 0 }));
  },
};

/** The reference plugin: all three planes, nothing real. It shows what the contract asks for, and tests run on it without a machine to deploy to. */
export default definePlugin({
  contract: 1,
  name: "memory",
  version: "0.1.0",
  engine: ">=0.1",
  description: "Runs and serves nothing; keeps what it was told in one file.",
  config: Type.Object({}),
  permissions: { net: [], secrets: [], exec: [], fs: [] },
  planes: { build, runtime, delivery },
});
