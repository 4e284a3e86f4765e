import type { Readable } from "node:stream";
import type { PluginContext } from "@helixstack/sdk";
import Docker from "dockerode";
import type { Config } from "./config.ts";
import { buildFailed, messageOf, statusOf, toFailure, toFailureOrAbort } from "./failures.ts";

type Context = Pick<PluginContext<Config>, "config" | "signal">;

/** What the engine keeps of an image. */
export interface Image {
  /** `sha256:...` */
  readonly id: string;
  readonly tags: readonly string[];
  readonly user: string;
  readonly sizeBytes: number;
}

/** How to build: the engine's own names. */
export interface BuildOptions {
  readonly dockerfile: string;
  readonly target: string | undefined;
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Null where it is the engine's own. */
  readonly platform: string | null;
}

export async function engineVersion(ctx: Context): Promise<{ version: string; platform: string }> {
  const answer = await ask("read the version of the Docker Engine", () => engineOf(ctx).version());
  return { version: answer.Version, platform: `${answer.Os}/${answer.Arch}` };
}

/** Sends the build context; the answer is what the builder says, as lines of JSON. */
export async function startBuild(ctx: Context, { context, options }: { context: Readable; options: BuildOptions }): Promise<Readable> {
  const { dockerfile, target, args, labels, platform } = options;
  try {
    const answer = await engineOf(ctx).buildImage(context, {
      dockerfile,
      labels,
      buildargs: args,
      rm: true,
      forcerm: true,
      abortSignal: ctx.signal,
      ...(target !== undefined && { target }),
      ...(platform !== null && { platform }),
    });
    return answer as Readable;
  } catch (error) {
    // 400 and 500 without a stream: the Dockerfile itself was not understood.
    if (statusOf(error) === 400 || statusOf(error) === 500) throw buildFailed(messageOf(error), []);
    throw toFailureOrAbort(error, { what: "build an image", signal: ctx.signal });
  }
}

/** An image by id or name; null when it is not there. */
export async function inspectImage(ctx: Context, name: string): Promise<Image | null> {
  const found = await askUnless([404], `inspect the image ${name}`, () => engineOf(ctx).getImage(name).inspect());
  return found && { id: found.Id, tags: found.RepoTags ?? [], user: found.Config.User ?? "", sizeBytes: found.Size };
}

export async function hasImage(ctx: Context, name: string): Promise<boolean> {
  return (await inspectImage(ctx, name)) !== null;
}

/** Images with this label. */
export async function listImages(
  ctx: Context,
  label: string,
): Promise<readonly { readonly id: string; readonly tags: readonly string[] }[]> {
  const images = await ask("list images", () => engineOf(ctx).listImages({ filters: { label: [label] } }));
  return images.map((image) => ({ id: image.Id, tags: (image.RepoTags ?? []).filter((tag) => tag !== "<none>:<none>") }));
}

export async function tagImage(ctx: Context, { id, repo, tag }: { id: string; repo: string; tag: string }): Promise<void> {
  await ask(`tag the image ${id}`, () => engineOf(ctx).getImage(id).tag({ repo, tag }));
}

/** Removes an image or a tag. Gone already is fine; what a container uses stays, and the answer is false. */
export async function removeImage(ctx: Context, name: string): Promise<boolean> {
  const removed = await askUnless([404, 409], `remove the image ${name}`, () => engineOf(ctx).getImage(name).remove());
  return removed !== null;
}

/** Bytes of all layers that the engine keeps. */
export async function layersSize(ctx: Context): Promise<number> {
  const usage = (await ask("ask for the disk usage", () => engineOf(ctx).df())) as { LayersSize?: number };
  return usage.LayersSize ?? 0;
}

function engineOf({ config }: Context): Docker {
  return new Docker({ socketPath: config.socket });
}

async function ask<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toFailure(error, what);
  }
}

async function askUnless<T>(statuses: readonly number[], what: string, call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (statuses.includes(statusOf(error) ?? 0)) return null;
    throw toFailure(error, what);
  }
}
