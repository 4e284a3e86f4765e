import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Identity, RevisionSpec } from "@helixstack/sdk";
import { onTestFinished } from "vitest";
import { type DispatcherOptions, type HostOutput, type LoadedPlugins, createDispatcher, loadPlugins } from "../../src/host/index.ts";
import { findProcess } from "../../src/host/process-table.ts";
import type { HostProcess, PluginCall } from "../../src/ports/index.ts";

export const FIXTURES = fileURLToPath(new URL("../../../../test/fixtures/plugins", import.meta.url));

export const identity: Identity = {
  installation: "ins_1",
  organization: "org_1",
  project: "prj_1",
  environment: "env_1",
  unit: "unit_1",
  revision: "rev_1",
  names: { project: "shop", environment: "production", service: "web" },
};

export const spec: RevisionSpec = {
  artifact: { kind: "static-site", digest: "sha256:00", uri: "file:///tmp", metadata: { fallback: null } },
  command: null,
  env: {},
  secrets: [],
  volumes: [],
  filesystem: "writable",
  replicas: 1,
  resources: { memoryBytes: null, cpu: null },
  graceMs: 1_000,
  options: {},
};

/** A dispatcher over real host processes, the `faulty` plugin in a home of its own; gone with the test. */
export async function testDispatcher(options: Partial<DispatcherOptions> = {}) {
  const folder = await temporaryFolder();
  const registry = (options.registry as LoadedPlugins | undefined) ?? (await loadPlugins({ folders: [FIXTURES] }));
  const output: HostOutput[] = [];
  const recorded: HostProcess[] = [];
  const removed: HostProcess[] = [];
  const dispatcher = createDispatcher({
    registry,
    homes: ({ manifest }) => join(folder, "home", manifest.name),
    workFolder: join(folder, "work"),
    onOutput: (line) => output.push(line),
    onHost: { recordHost: async (host) => void recorded.push(host), removeHost: async (host) => void removed.push(host) },
    ...options,
  });
  onTestFinished(() => dispatcher.close());
  const home = join(folder, "home", "faulty");
  return {
    dispatcher,
    home,
    output,
    recorded,
    removed,
    /** Sets what goes wrong from the next call on, by `plane.verb`. */
    async fault(faults: Readonly<Record<string, object>>) {
      await dispatcher.warm(registry.get("runtime", "faulty"));
      await writeFile(join(home, "faults.json"), JSON.stringify(faults));
    },
    call: <T = unknown>(verb: string, more: Partial<PluginCall> = {}) => dispatcher.call<T>(callOf(verb, more)),
    read: (name: string) => readFile(join(home, name), "utf8"),
  };
}

/** A call of `runtime.<verb>` of the faulty plugin. */
export function callOf(verb: string, more: Partial<PluginCall> = {}): PluginCall {
  const input = { spec, prior: null, graceMs: 100, how: "freeze", installation: "ins_1", name: "n", command: ["x"] };
  return { plane: "runtime", plugin: "faulty", verb, identity, operationId: "op_1", fence: 1, input, deadlineMs: 10_000, ...more };
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "helix-host-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<any> {
  const value = await promise.catch((error: unknown) => ({ error }));
  if (typeof value === "object" && value !== null && "error" in value) return value.error;
  throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
}

/** Waits until something is so; fails after five seconds. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 5_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 10))) {
    if (await isSo()) return;
  }
  throw new Error(`still not so after 5 s: ${what}`);
}

export const isAlive = (pid: number): boolean => findProcess(pid) !== null;
