import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type OpaPolicy, type OpaPolicyOptions, createOpaPolicy } from "../../src/adapters/opa/index.ts";
import type { Maturity } from "../../src/domain/manifest.ts";
import { type Craft, craftBundle, newKey } from "./craft-bundle.ts";

export const SHIPPED = fileURLToPath(new URL("../../../../guardrails/bundles", import.meta.url));

/** A home with the shipped packs, a trusted key, and room for a team's own pack. */
export interface PolicyWorld {
  readonly root: string;
  readonly installed: string;
  readonly keys: ReturnType<typeof newKey>;
  readonly policy: OpaPolicy;
  /** Another engine on the same home, as after a restart. */
  reopen(changes?: Partial<OpaPolicyOptions>): OpaPolicy;
  /** Puts a team's pack into the home. */
  install(craft?: Partial<Craft>): Promise<void>;
  close(): Promise<void>;
}

export async function policyWorld(changes: Partial<OpaPolicyOptions> = {}): Promise<PolicyWorld> {
  const root = await mkdtemp(join(tmpdir(), "helix-opa-"));
  const [shipped, installed, kept, trusted] = ["shipped", "policies", "kept", "keys"].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ];
  const keys = newKey();
  await cp(SHIPPED, shipped, { recursive: true });
  for (const folder of [installed, trusted]) await mkdir(folder);
  await writeFile(join(trusted, "team.pem"), keys.publicKey.export({ type: "spki", format: "pem" }));
  const opened: OpaPolicy[] = [];
  const reopen = (more: Partial<OpaPolicyOptions> = {}) => {
    const policy = createOpaPolicy({ shipped, installed, kept, keys: trusted, ...changes, ...more });
    opened.push(policy);
    return policy;
  };
  return {
    root,
    installed,
    keys,
    policy: reopen(),
    reopen,
    install: (craft = {}) => writeFile(join(installed, "team.tar.gz"), craftBundle({ key: keys.privateKey, ...craft })),
    async close() {
      await Promise.all(opened.map((policy) => policy.close()));
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** An input that no shipped rule refuses, of any maturity. */
export function goodInput(maturity: Maturity, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    point: "release",
    time: new Date().toISOString(),
    organization: "org",
    project: "shop",
    environment: "production",
    actor: { id: "prn_dev", kind: "token", name: "dev" },
    deployment: { id: "dep_1", kind: "deploy", message: null, createdAt: new Date().toISOString() },
    manifest: {
      project: "shop",
      services: { web: { ...SERVICE } },
      guardrails: { maturity },
      rollback: { keep: 1, forMs: 60_000 },
    },
    origin: { file: "helix.yaml", lines: { services: 2, "services.web": 3, "services.web.replicas": 7 } },
    plan: { services: [], removed: [], changes: [] },
    artifacts: {},
    sources: {},
    plugins: {},
    history: { live: null, deployments: [] },
    waivers: [],
    cost: null,
    ...changes,
  };
}

export const SERVICE = {
  source: ".",
  build: "node",
  runtime: "process",
  delivery: "router",
  start: null,
  env: {},
  secrets: [],
  health: { path: "/health", timeoutMs: 60_000 },
  needs: [],
  volumes: {},
  filesystem: "writable",
  tasks: {},
  replicas: 2,
  resources: { memoryBytes: 268_435_456, cpu: null },
  labels: { owner: "shop-team" },
  drainMs: 30_000,
  options: {},
};

/** The same with another `services.web`. */
export function withService(input: Record<string, unknown>, service: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const manifest = input["manifest"] as { services: { web: object } };
  return { ...input, manifest: { ...manifest, services: { web: { ...manifest.services.web, ...service } } } };
}
