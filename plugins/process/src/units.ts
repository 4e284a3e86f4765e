import { type PluginContext, type RevisionSpec, specDigest } from "@helixstack/sdk";
import type { Unit } from "./client.ts";
import { commandOf, serverEnvironment } from "./command.ts";
import type { Config } from "./config.ts";
import { environmentOf } from "./environment.ts";
import { foldersOf, labelsOf, unitName } from "./names.ts";
import { readOnly } from "./read-only.ts";
import type { Secrets } from "./secrets.ts";

const LOG_FILES = 3;
const FIRST_RESTART_MS = 50;

export interface UnitInput {
  readonly spec: RevisionSpec;
  readonly secrets: Secrets;
  readonly secretsFolder: string | null;
}

/** The unit of one instance. Pure. */
export function instanceUnit(ctx: PluginContext<Config>, input: UnitInput & { readonly index: number }): Unit {
  const { spec, index } = input;
  const folders = foldersOf(ctx.home, ctx.identity.revision, String(index));
  const command = commandOf(spec, folders.app);
  const digest = specDigest(spec);
  return {
    ...common(ctx, { ...input, suffix: String(index), command }),
    name: unitName(ctx.identity, String(index)),
    role: "app",
    env: { ...environment(ctx, input, String(index)), ...serverEnvironment(spec, ctx.identity.revision) },
    portVariable: "PORT",
    restart: { policy: "always", minMs: FIRST_RESTART_MS, maxMs: ctx.config.restartMaxMs },
    labels: { ...labelsOf(ctx.identity, "revision"), "helix.instance": String(index), "helix.spec": digest },
    specDigest: digest,
  };
}

/** The unit of one task: it ends with whoever asked for it. Pure. */
export function taskUnit(
  ctx: PluginContext<Config>,
  input: UnitInput & { readonly name: string; readonly command: readonly string[] },
): Unit {
  const suffix = taskSuffix(input.name);
  return {
    ...common(ctx, { ...input, suffix }),
    name: unitName(ctx.identity, suffix),
    role: "task",
    env: environment(ctx, input, suffix),
    restart: { policy: "never", minMs: FIRST_RESTART_MS, maxMs: FIRST_RESTART_MS },
    labels: labelsOf(ctx.identity, "task"),
    tied: true,
    specDigest: ctx.operationId,
  };
}

/** What tells a task from an instance in names and folders. */
export function taskSuffix(name: string): string {
  return `task-${name}`;
}

function common(ctx: PluginContext<Config>, input: UnitInput & { readonly suffix: string; readonly command: readonly string[] }) {
  const { spec } = input;
  const folders = foldersOf(ctx.home, ctx.identity.revision, input.suffix);
  const user = { uid: process.getuid!(), gid: process.getgid!() };
  const isGuarded = spec.filesystem === "read-only" && spec.artifact.kind !== "static-site";
  return {
    argv: isGuarded ? readOnly(input.command, { folder: folders.app, ...user }) : input.command,
    cwd: folders.app,
    log: { maxBytes: ctx.config.logMaxBytes, files: LOG_FILES },
    desired: "running",
    owns: [folders.instance, ...(input.secretsFolder === null ? [] : [input.secretsFolder])],
    needs: input.secretsFolder === null ? [] : [input.secretsFolder],
    ...(spec.resources.memoryBytes !== null && { memoryBytes: spec.resources.memoryBytes }),
    fence: ctx.fence,
  } as const;
}

function environment(ctx: PluginContext<Config>, { spec, secrets, secretsFolder }: UnitInput, suffix: string): Record<string, string> {
  return environmentOf({ spec, secrets: secrets.env, secretsFolder, folders: foldersOf(ctx.home, ctx.identity.revision, suffix) });
}
