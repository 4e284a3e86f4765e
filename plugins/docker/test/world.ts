import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Secret, type Identity, type PluginContext, type RevisionSpec } from "@helixstack/sdk";
import Docker from "dockerode";
import type { Config } from "../src/config.ts";

export const engine = new Docker({ socketPath: "/var/run/docker.sock" });
export const hasDocker = await engine.ping().then(
  () => true,
  () => false,
);

/** A context of one installation, with an artifact to run and ways to look at the engine that do not go through the plugin. */
export async function makeWorld() {
  const folder = await mkdtemp(join(tmpdir(), "helix-docker-"));
  const installation = `ins_${Math.random().toString(36).slice(2, 12)}`;
  const label = [`helix.installation=${installation}`];
  const lines: string[] = [];
  const stop = new AbortController();
  const context = async (revision = "rev_1", overrides: Partial<PluginContext<Config>> = {}): Promise<PluginContext<Config>> => {
    const workdir = await mkdtemp(join(folder, "call-"));
    const log = (message: string) => void lines.push(message);
    return {
      config: {
        socket: "/var/run/docker.sock",
        volumes: join(folder, "volumes"),
        baseImage: "",
        subnetPrefix: "10.214",
        pidsLimit: 256,
        logMaxBytes: 1 << 20,
      },
      identity: identity(installation, revision),
      operationId: `op_${revision}`,
      fence: 1,
      signal: stop.signal,
      log: { debug: log, info: log, warn: log, error: log },
      progress: () => undefined,
      secret: async () => new Secret("x"),
      resolve: async () => new Secret("x"),
      workdir,
      home: folder,
      ...overrides,
    };
  };
  return {
    folder,
    installation,
    lines,
    context,
    containers: () => engine.listContainers({ all: true, filters: { label } }),
    networks: async () => (await engine.listNetworks()).filter(({ Name }) => Name === `helix-${installation}`),
    async bundle(files: Readonly<Record<string, string>>): Promise<string> {
      const bundle = await mkdtemp(join(folder, "bundle-"));
      for (const [path, text] of Object.entries(files)) {
        await mkdir(join(bundle, path, ".."), { recursive: true });
        await writeFile(join(bundle, path), text);
      }
      return pathToFileURL(bundle).href;
    },
    async remove() {
      stop.abort();
      for (const { Id } of await engine.listContainers({ all: true, filters: { label } }))
        await engine.getContainer(Id).remove({ force: true, v: true });
      await engine
        .getNetwork(`helix-${installation}`)
        .remove()
        .catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type World = Awaited<ReturnType<typeof makeWorld>>;

export function specOf(uri: string, overrides: Partial<RevisionSpec> = {}): RevisionSpec {
  return {
    artifact: {
      kind: "node-bundle",
      digest: `sha256:${"0".repeat(64)}`,
      uri,
      metadata: { start: ["node", "server.js"], env: {}, node: null },
    },
    command: null,
    env: { GREETING: "hello" },
    secrets: [],
    volumes: [],
    filesystem: "writable",
    replicas: 1,
    resources: { memoryBytes: 256 * 1024 * 1024, cpu: 1 },
    graceMs: 3_000,
    options: {},
    ...overrides,
  };
}

function identity(installation: string, revision: string): Identity {
  return {
    installation,
    organization: "org_1",
    project: "prj_1",
    environment: "env_1",
    unit: "unit_1",
    revision,
    names: { project: "shop", environment: "production", service: "web" },
  };
}
