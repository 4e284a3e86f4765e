import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { PluginContext, Secret, SecretRef } from "@helixstack/sdk";
import { runCommand } from "@helixstack/sdk/exec";
import { type Builder, builderFor, lent } from "./build-user.ts";
import { type CommandInput, installArgs, pruneArgs, scriptArgs } from "./commands.ts";
import { failureOf } from "./failures.ts";
import { type Manager, detectManager } from "./manager.ts";
import type { PackageJson } from "./package-json.ts";
import { toolEnv } from "./surroundings.ts";
import { prepareTool } from "./tool.ts";

/** A Node project with the package manager that it uses, ready to run commands. */
export interface Project {
  readonly folder: string;
  readonly packageJson: PackageJson;
  readonly manager: Manager;
  readonly command: CommandInput;
  readonly builder: Builder;
  readonly secretEnv: Readonly<Record<string, Secret>>;
}

export interface OpenProjectInput {
  readonly folder: string;
  readonly packageJson: PackageJson;
  /** Secrets that installs and scripts find in their environment. */
  readonly secrets: readonly SecretRef[];
}

/** Finds the package manager, getting it where it is not installed. */
export async function openProject(ctx: PluginContext, { folder, packageJson, secrets }: OpenProjectInput): Promise<Project> {
  const manager = await detectManager(folder, packageJson);
  for (const name of manager.ignored) ctx.log.warn(`${name} is not used: ${manager.kind} is the package manager of this project`);
  const tool = await prepareTool(ctx, { folder, manager });
  ctx.log.info(`node ${process.versions.node}, ${tool.kind} ${tool.version}, ${manager.lockfile?.name ?? "no lockfile"}`);
  const isWorkspace = (await stat(join(folder, "pnpm-workspace.yaml")).catch(() => null)) !== null;
  const builder = await builderFor(ctx, { folder, programs: tool.argv });
  const command = { tool, manager, home: builder.home, isWorkspace };
  return { folder, packageJson, manager, command, builder, secretEnv: await resolveSecrets(ctx, secrets) };
}

/** Installs from the lockfile; without one, what the registry has today, with a warning. `production` leaves dev dependencies out. */
export async function installDependencies(
  ctx: PluginContext,
  project: Project,
  { production }: { readonly production: boolean },
): Promise<void> {
  ctx.progress("installing dependencies");
  if (project.manager.lockfile === null) {
    ctx.log.warn("there is no lockfile: this build cannot be repeated exactly; commit one");
  }
  await run(ctx, project, { args: installArgs(project.command, { production }), isInstall: true });
}

/** Runs a script of package.json. Rejects with `BUILD_FAILED`. */
export async function runScript(ctx: PluginContext, project: Project, script: string): Promise<void> {
  ctx.progress(`running the script ${script}`);
  await run(ctx, project, { args: scriptArgs(script), isInstall: false });
}

/** Removes dev dependencies. */
export async function pruneDependencies(ctx: PluginContext, project: Project): Promise<void> {
  ctx.progress("removing dev dependencies");
  const args = pruneArgs(project.command);
  if (args === null) ctx.log.warn(`yarn ${project.command.tool.version} cannot remove dev dependencies; they stay in the bundle`);
  else await run(ctx, project, { args, isInstall: false });
}

/** The values of secrets, by name. */
async function resolveSecrets(ctx: PluginContext, refs: readonly SecretRef[]): Promise<Record<string, Secret>> {
  const pairs = await Promise.all(refs.map(async (ref) => [ref.name, await ctx.resolve(ref)] as const));
  return Object.fromEntries(pairs);
}

interface Step {
  readonly args: readonly string[];
  readonly isInstall: boolean;
}

async function run(ctx: PluginContext, { folder, command, builder, secretEnv }: Project, { args, isInstall }: Step): Promise<void> {
  const { tool } = command;
  const shown = [tool.kind.split("-")[0]!, ...args.filter((arg) => !arg.startsWith("--config.") && !arg.startsWith("/"))].join(" ");
  ctx.log.info(`$ ${shown}`);
  // pnpm asks questions unless CI is set; a build script would take warnings for errors, so only the manager's own work gets it.
  const env = { ...toolEnv(builder, tool), ...(args[0] === "run" ? {} : { CI: "1" }) };
  const { user } = builder;
  const use = () => runCommand(ctx, [...tool.argv, ...args], { cwd: folder, env, secretEnv, ...(user && { user }) });
  const result = await lent(builder, { folder, use });
  if (result.exitCode !== 0) throw failureOf(shown, { ...result, isInstall });
}
