import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type BuildInput, type BuildResult, type PluginContext, Secret, type SecretRef } from "@helixstack/sdk";
import type { NodeSpec } from "../src/spec.ts";
import { buildBundle } from "../src/bundle.ts";

/** Caches outlive one test, as they outlive one build. */
export const home = join(realpathSync(tmpdir()), `helix-test-node-${process.pid}`);

/** Folders of one build, removed by `close`. */
export interface World {
  readonly source: string;
  readonly output: string;
  readonly lines: string[];
  readonly context: PluginContext;
  build(input?: Partial<BuildInput<NodeSpec>>): Promise<BuildResult & { kind: "node-bundle" }>;
  close(): void;
}

export interface WorldOptions {
  readonly files: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly config?: Readonly<Record<string, unknown>>;
}

export function makeWorld({ files, secrets = {}, signal = new AbortController().signal, config = {} }: WorldOptions): World {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "helix-node-")));
  const [source, output, workdir] = ["source", "output", "work"].map((name) => join(root, name)) as [string, string, string];
  // As the engine's own: a build's user passes through.
  chmodSync(root, 0o711);
  for (const folder of [source, output, workdir, home]) mkdirSync(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), typeof content === "string" ? content : JSON.stringify(content, null, 2));
  }
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const owner = { installation: "i", organization: "o", project: "p", environment: "e", unit: "u", revision: "r" };
  const context: PluginContext = {
    config: { userPerEnvironment: true, ...config },
    identity: { ...owner, names: { project: "p", environment: "e", service: "s" } },
    operationId: "op",
    fence: 1,
    signal,
    log: { debug: log, info: log, warn: log, error: log },
    progress: () => {},
    secret: () => Promise.reject(new Error("no credentials here")),
    resolve: (ref: SecretRef) => Promise.resolve(new Secret(secrets[ref.name]!)),
    workdir,
    home,
  };
  const refs = Object.keys(secrets).map((name) => ({ name, version: "1" }));
  return {
    source,
    output,
    lines,
    context,
    build: async (input = {}) => {
      const platform = "linux/amd64";
      const result = await buildBundle(context, { source, spec: {}, start: null, output, platform, secrets: refs, labels: {}, ...input });
      return result as BuildResult & { kind: "node-bundle" };
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Copies a folder to another place, to see what a bundle is worth when it was moved. */
export function copyOf(folder: string): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), "helix-copy-")));
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}
