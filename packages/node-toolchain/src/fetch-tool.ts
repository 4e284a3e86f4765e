import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type PluginContext, PluginError } from "@helixstack/sdk";
import { runCommand } from "@helixstack/sdk/exec";
import { failureOf } from "./failures.ts";
import { npmEnv } from "./surroundings.ts";

interface Wanted {
  readonly name: string;
  readonly version: string;
}

/** Gets a package manager from the package registry, once, and keeps it under `ctx.home`. */
export async function fetchTool(ctx: PluginContext, wanted: Wanted): Promise<{ readonly script: string; readonly bin: string }> {
  const tools = join(ctx.home, "tools");
  const folder = join(tools, `${wanted.name.replaceAll("/", "+")}-${wanted.version}`);
  if (!(await stat(folder).catch(() => null))) await download(ctx, { ...wanted, tools, folder });
  return { script: await scriptOf(folder, wanted.name), bin: join(folder, "node_modules", ".bin") };
}

async function download(ctx: PluginContext, { name, version, tools, folder }: Wanted & { tools: string; folder: string }): Promise<void> {
  ctx.progress(`getting ${name} ${version}`);
  await mkdir(tools, { recursive: true });
  const draft = await mkdtemp(join(tools, ".draft-"));
  try {
    await writeFile(join(draft, "package.json"), "{}");
    const argv = ["npm", "install", "--no-save", "--no-package-lock", "--ignore-scripts", `${name}@${version}`];
    const result = await runCommand(ctx, argv, { cwd: draft, env: npmEnv(ctx) });
    if (result.exitCode !== 0) throw failureOf(`npm install ${name}@${version}`, { ...result, isInstall: true });
    // Builds of every user run it.
    await chmod(draft, 0o755);
    await rename(draft, folder).catch((error: NodeJS.ErrnoException) => {
      // Another build got the same tool at the same time: either one will do.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function scriptOf(folder: string, name: string): Promise<string> {
  const home = join(folder, "node_modules", name);
  const { bin } = JSON.parse(await readFile(join(home, "package.json"), "utf8")) as { bin?: string | Record<string, string> };
  const command = name === "pnpm" ? "pnpm" : "yarn";
  const script = typeof bin === "string" ? bin : bin?.[command];
  if (script === undefined) throw new PluginError("INTERNAL", `the package ${name} has no program ${command}`);
  return join(home, script);
}
