import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PluginError, type PluginContext, type SecretRef } from "@helixstack/sdk";
import { runCommand } from "@helixstack/sdk/exec";
import type { BuildOptions } from "./client.ts";
import type { Config } from "./config.ts";
import { buildFailed } from "./failures.ts";

const MEMORY = "/dev/shm";
/** The first that can do it is taken: some installations have a client without BuildKit before one that has it. */
const PROGRAMS = ["docker", "/usr/bin/docker", "/usr/local/bin/docker"];
const BUILDKIT = { DOCKER_BUILDKIT: "1" };

export interface SecretBuildInput {
  readonly source: string;
  readonly options: BuildOptions;
  readonly secrets: readonly SecretRef[];
}

/**
 * Builds with secrets, which each RUN gets by `--mount=type=secret,id=NAME`: in memory, for that one command, in no layer and no history. The engine's API serves
 * such a build only through a session that its own client speaks, so that client is called, with an argument list. Resolves to the image's id.
 */
export async function buildWithSecrets(ctx: PluginContext<Config>, { source, options, secrets }: SecretBuildInput): Promise<string> {
  const program = await findProgram(ctx);
  const folder = await secretFiles(ctx, secrets);
  const idFile = join(ctx.workdir, "image-id");
  try {
    const argv = [program, ...argumentsOf({ socket: ctx.config.socket, source, idFile, options, folder, secrets })];
    const { exitCode, tail } = await runCommand(ctx, argv, { cwd: source, env: BUILDKIT });
    if (exitCode !== 0) throw buildFailed(reasonOf(tail) ?? `docker build ended with code ${exitCode}`, tail);
    return (await readFile(idFile, "utf8")).trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Arguments extends SecretBuildInput {
  readonly socket: string;
  readonly idFile: string;
  readonly folder: string;
}

/** The client's arguments: names and paths, no value. Pure. */
export function argumentsOf({ socket, source, idFile, options, folder, secrets }: Arguments): string[] {
  const { dockerfile, target, args, labels, platform } = options;
  const pairs = (flag: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
  return [
    ...["--host", `unix://${socket}`, "build", "--progress=plain", "--iidfile", idFile, "--file", join(source, dockerfile)],
    ...pairs("--label", labels),
    ...pairs("--build-arg", args),
    ...(target === undefined ? [] : ["--target", target]),
    ...(platform === null ? [] : ["--platform", platform]),
    ...secrets.flatMap(({ name }) => ["--secret", `id=${name},src=${join(folder, name)}`]),
    source,
  ];
}

async function findProgram(ctx: PluginContext<Config>): Promise<string> {
  const silent = { ...ctx, log: { ...ctx.log, info: () => undefined } };
  const candidates = ctx.config.program === "" ? PROGRAMS : [ctx.config.program];
  for (const program of candidates) {
    const help = await runCommand(silent, [program, "build", "--help"], { cwd: ctx.workdir, env: BUILDKIT }).catch(() => null);
    if (help?.tail.some((line) => line.includes("--secret"))) return program;
  }
  throw new PluginError(
    "UNSUPPORTED",
    `build secrets need a docker client with BuildKit, and none was found (tried ${candidates.join(", ")})`,
    {
      hint: "Install Docker's buildx plugin, or name a client that has it in the plugin's `program`.",
    },
  );
}

/** The client takes files; theirs are in memory and gone after the build. */
async function secretFiles(ctx: PluginContext<Config>, secrets: readonly SecretRef[]): Promise<string> {
  await access(MEMORY).catch(() => {
    throw new PluginError("UNSUPPORTED", `build secrets need ${MEMORY}, which this machine does not have`, {
      hint: `Mount a tmpfs at ${MEMORY}.`,
    });
  });
  const values = await Promise.all(secrets.map(async (ref) => [ref.name, await ctx.resolve(ref)] as const));
  const folder = await mkdtemp(join(MEMORY, "helix-build-"));
  for (const [name, value] of values) await writeFile(join(folder, name), value.reveal(), { mode: 0o400 });
  return folder;
}

/** What the client says last of a failure. */
function reasonOf(tail: readonly string[]): string | undefined {
  return tail.findLast((line) => /^(ERROR|error|failed)\b/.test(line))?.slice(0, 300);
}
