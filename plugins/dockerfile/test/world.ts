import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { BuildInput, BuildResult, PluginContext } from "@helixstack/sdk";
import Docker from "dockerode";
import { pack } from "tar-fs";
import { build } from "../src/build.ts";
import type { Config, DockerfileSpec } from "../src/config.ts";

const socket = "/var/run/docker.sock";
export const engine = new Docker({ socketPath: socket });
const installation = `test-${process.pid}`;
/** An image made of this machine's shell: none can be pulled everywhere. */
export const base = `helix-test-base:${process.pid}`;

/** Whether a Docker Engine answers here. */
export async function isEngineThere(): Promise<boolean> {
  if (!existsSync(socket)) return false;
  return engine.ping().then(
    () => true,
    () => false,
  );
}

export async function makeBase(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "helix-base-"));
  for (const program of ["/bin/sh", "/bin/cat", "/bin/ls", "/bin/sleep"]) {
    const real = realpathSync(program);
    const libraries = [...execFileSync("ldd", [real], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]!);
    for (const [from, to] of [[real, program] as const, ...libraries.map((path) => [path, path] as const)]) {
      mkdirSync(dirname(join(root, to)), { recursive: true });
      cpSync(realpathSync(from), join(root, to));
    }
  }
  const [repo, tag] = base.split(":");
  const stream = (await engine.importImage(pack(root) as unknown as Readable, { repo, tag })) as unknown as Readable;
  for await (const _ of stream);
  rmSync(root, { recursive: true });
}

/** Removes what the tests made in the engine. */
export async function clean(): Promise<void> {
  const images = await engine.listImages({ filters: { label: [`helix.installation=${installation}`] } });
  for (const { Id } of images) await engine.getImage(Id).remove({ force: true });
  await engine.getImage(base).remove({ force: true });
}

export interface World {
  readonly source: string;
  readonly lines: string[];
  readonly context: PluginContext<Config>;
  build(input?: Partial<BuildInput<DockerfileSpec>>): Promise<BuildResult & { kind: "oci-image"; image: { uri: string; digest: string } }>;
  close(): void;
}

export function makeWorld(
  files: Readonly<Record<string, string>>,
  options: { readonly config?: Config; readonly signal?: AbortSignal } = {},
): World {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "helix-dockerfile-")));
  const source = join(root, "source");
  mkdirSync(source);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), content);
  }
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const owner = { installation, organization: "o", project: "p", environment: "e", unit: "u", revision: "r" };
  const context: PluginContext<Config> = {
    config: options.config ?? { socket, program: "" },
    identity: { ...owner, names: { project: "My Shop", environment: "production", service: "web" } },
    operationId: "op",
    fence: 1,
    signal: options.signal ?? new AbortController().signal,
    log: { debug: log, info: log, warn: log, error: log },
    progress: () => {},
    secret: () => Promise.reject(new Error("no credentials here")),
    resolve: () => Promise.reject(new Error("no secrets here")),
    workdir: root,
    home: root,
  };
  const labels = { "helix.installation": installation, "helix.unit": "u" };
  const fixed = { source, spec: {}, start: null, output: join(root, "output"), platform: "linux/amd64", secrets: [], labels };
  return {
    source,
    lines,
    context,
    build: async (input = {}) => (await build.build(context, { ...fixed, ...input })) as never,
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Runs a command in an image and returns what it writes. */
export async function run(image: string, command: readonly string[]): Promise<string> {
  const container = await engine.createContainer({ Image: image, Cmd: [...command], Tty: true });
  try {
    const output = (await container.attach({ stream: true, stdout: true, stderr: true })) as unknown as Readable;
    await container.start();
    let text = "";
    for await (const chunk of output) text += String(chunk);
    return text.replaceAll("\r\n", "\n").trim();
  } finally {
    await container.remove({ force: true });
  }
}
