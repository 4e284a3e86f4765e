import { type PluginContext, type RevisionSpec, ownerLabels, specDigest } from "@helixstack/sdk";
import type { Unit } from "./client.ts";
import { commandOf, serverEnvironment } from "./command.ts";
import type { Config } from "./config.ts";
import { environmentOf } from "./environment.ts";
import { unitName } from "./names.ts";
import { readOnly } from "./read-only.ts";
import type { Surroundings } from "./surroundings.ts";
import { isShared } from "./user.ts";
import { GIVEN } from "./volumes.ts";

const LOG_FILES = 3;
const FIRST_RESTART_MS = 50;

export interface UnitInput extends Surroundings {
  readonly spec: RevisionSpec;
}

/** The unit of one instance. Pure. */
export function instanceUnit(ctx: PluginContext<Config>, input: UnitInput & { readonly index: number }): Unit {
  const { spec, index } = input;
  const command = commandOf(spec, input.folders.app);
  const digest = specDigest(spec);
  return {
    ...common(ctx, { ...input, command }),
    name: unitName(ctx.identity, String(index)),
    role: "app",
    env: { ...environmentOf(input), ...serverEnvironment(spec, ctx.identity.revision) },
    portVariable: "PORT",
    restart: { policy: "always", minMs: FIRST_RESTART_MS, maxMs: ctx.config.restartMaxMs },
    labels: { ...ownerLabels(ctx.identity, "revision"), "helix.instance": String(index), "helix.spec": digest, ...givenVolumes(input) },
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
    ...common(ctx, input),
    name: unitName(ctx.identity, suffix),
    role: "task",
    env: environmentOf(input),
    restart: { policy: "never", minMs: FIRST_RESTART_MS, maxMs: FIRST_RESTART_MS },
    labels: { ...ownerLabels(ctx.identity, "task"), ...givenVolumes(input) },
    tied: true,
    specDigest: ctx.operationId,
  };
}

/** What tells a task from an instance in names and folders. */
export function taskSuffix(name: string): string {
  return `task-${name}`;
}

function common(ctx: PluginContext<Config>, input: UnitInput & { readonly command: readonly string[] }) {
  const { spec, folders, user, secretsFolder } = input;
  const variables = spec.secrets.filter(({ as }) => as === "env").map(({ ref }) => ref.name);
  const isGuarded = spec.filesystem === "read-only" && spec.artifact.kind !== "static-site";
  return {
    argv: input.command,
    ...(isGuarded && { launcher: readOnly({ folder: folders.app, user }) }),
    // What makes the folder read-only needs root, and becomes the user itself.
    ...(user !== null && !isGuarded && user),
    cwd: folders.app,
    log: { maxBytes: ctx.config.logMaxBytes, files: LOG_FILES },
    desired: "running",
    owns: [folders.instance, ...(secretsFolder === null ? [] : [secretsFolder])],
    ...(secretsFolder !== null && { needs: [secretsFolder], secrets: { folder: secretsFolder, env: variables } }),
    ...(spec.resources.memoryBytes !== null && { memoryBytes: spec.resources.memoryBytes }),
    fence: ctx.fence,
  } as const;
}

function givenVolumes({ spec, user }: UnitInput): Record<string, string> {
  // What is shared stays with those who share it.
  const given = spec.volumes.filter((volume) => !isShared(volume)).map(({ handle }) => handle.id);
  return user === null || given.length === 0 ? {} : { [GIVEN]: JSON.stringify(given) };
}
