import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type ArtifactOf, type Identity, type PluginContext, PluginError, type RevisionSpec, Secret } from "@helixstack/sdk";
import { startSupervisor, SupervisorClient } from "@helixstack/supervisor";
import { closeSupervisors } from "../src/client.ts";
import type { Config } from "../src/config.ts";
import { memoryFolder } from "../src/secrets.ts";

/** A home with its supervisor, an artifact and contexts. */
export interface World {
  readonly home: string;
  /** Lines that the plugin logged. */
  readonly logged: string[];
  ctx(change?: Partial<PluginContext<Config>> & { revision?: string; secrets?: Readonly<Record<string, string>> }): PluginContext<Config>;
  supervisor(): Promise<SupervisorClient>;
  bundle(files: Readonly<Record<string, string>>, metadata?: Partial<ArtifactOf<"node-bundle">["metadata"]>): ArtifactOf<"node-bundle">;
  site(files: Readonly<Record<string, string>>, fallback?: string | null): ArtifactOf<"static-site">;
  close(): Promise<void>;
}

export async function makeWorld(): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), "helix-process-"));
  // As the local plane makes it: users of services pass through.
  for (const folder of ["", "data", "data/plugins", "data/volumes"]) mkdirSync(join(home, folder), { recursive: true, mode: 0o711 });
  chmodSync(home, 0o711);
  const logged: string[] = [];
  const supervisor = (): Promise<SupervisorClient> => startSupervisor({ home, resume: true });
  (await supervisor()).close();
  let artifacts = 0;
  const folder = (files: Readonly<Record<string, string>>): string => {
    const path = join(home, "data/artifacts", String(artifacts++));
    mkdirSync(path, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    return pathToFileURL(path).href;
  };
  return {
    home,
    logged,
    ctx: (change = {}) => context(home, { logged, ...change }),
    supervisor,
    bundle: (files, metadata = {}) => ({
      kind: "node-bundle",
      digest: `sha256:${String(artifacts).padStart(64, "0")}`,
      uri: folder(files),
      metadata: { start: ["node", "server.cjs"], env: {}, node: null, ...metadata },
    }),
    site: (files, fallback = null) => ({
      kind: "static-site",
      digest: `sha256:${String(artifacts).padStart(64, "a")}`,
      uri: folder(files),
      metadata: { fallback },
    }),
    close: async () => {
      closeSupervisors();
      const client = await SupervisorClient.connect(home).catch(() => null);
      await client?.shutdown({ stopUnits: "all", graceMs: 0 }).catch(() => undefined);
      rmSync(memoryFolder({ home }), { recursive: true, force: true });
      rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

interface ContextInput extends Partial<PluginContext<Config>> {
  readonly logged: string[];
  readonly revision?: string;
  readonly secrets?: Readonly<Record<string, string>>;
}

function context(home: string, { logged, revision = "rev_01", secrets = {}, ...change }: ContextInput): PluginContext<Config> {
  const note = (message: string): void => void logged.push(message);
  const pluginHome = join(home, "data/plugins/process");
  mkdirSync(pluginHome, { recursive: true });
  return {
    config: { home, volumes: join(home, "data/volumes"), logMaxBytes: 10_485_760, userPerService: true, restartMaxMs: 1000 },
    identity: identity(revision),
    operationId: "op_1",
    fence: 1,
    signal: new AbortController().signal,
    log: { debug: note, info: note, warn: note, error: note },
    progress: () => undefined,
    secret: (name) => Promise.reject(new PluginError("FORBIDDEN", `${name} is not for this plugin`)),
    resolve: async ({ name }) => {
      const value = secrets[name];
      if (value === undefined) throw new PluginError("FORBIDDEN", `${name} is not in the spec`);
      return new Secret(value);
    },
    workdir: home,
    home: pluginHome,
    ...change,
  };
}

export function identity(revision: string): Identity {
  const names = { project: "My Shop", environment: "preview/one", service: "web" };
  return { installation: "ins_1", organization: "org_1", project: "prj_1", environment: "env_1", unit: "unit_1", revision, names };
}

export function specOf(artifact: RevisionSpec["artifact"], change: Partial<RevisionSpec> = {}): RevisionSpec {
  return {
    artifact,
    command: null,
    env: {},
    secrets: [],
    volumes: [],
    filesystem: "writable",
    replicas: 1,
    resources: { memoryBytes: null, cpu: null },
    graceMs: 2000,
    options: {},
    ...change,
  };
}

/** Answers with what it sees; counts its starts; ends on SIGTERM after a line. */
export const SERVER = `
const { createServer } = require("node:http");
const { writeFileSync, readdirSync } = require("node:fs");
console.log("starting " + process.pid);
createServer((request, response) => {
  if (request.url === "/crash") process.exit(9);
  if (request.url === "/write") { try { writeFileSync("written", "x"); response.end("ok"); } catch (error) { response.end(error.code); } return; }
  if (request.url === "/data") { writeFileSync(process.env.DATA_DIR + "/kept", "x"); return response.end(readdirSync(process.env.DATA_DIR).join()); }
  if (request.url === "/uid") return response.end(String(process.getuid()));
  response.end(JSON.stringify({ env: process.env, cwd: process.cwd(), pid: process.pid }));
}).listen(process.env.PORT);
process.on("SIGTERM", () => { console.log("ending"); process.exit(0); });
`;

export async function until<T>(
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = 8000,
): Promise<T> {
  for (const end = Date.now() + withinMs; ; await sleep(10)) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`it did not happen within ${withinMs} ms: ${look.toString()}`);
  }
}

/** The answer of the application, as soon as it answers. */
export function get(port: number, path = "/"): Promise<string> {
  return until(() =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      (response) => response.text(),
      () => null,
    ),
  );
}
