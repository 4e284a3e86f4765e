import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, realpath, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { PluginError, type PluginContext } from "@helixstack/sdk";
import { archive } from "./archive.ts";
import { ask, askUnless, engineOf } from "./client.ts";
import type { Config } from "./config.ts";

const WRITABLE = new Set(["tmp", "helix/data"]);

/**
 * The image that bundles run in: the operator's, or one made of this machine's own `node` and `sh` and the libraries they load.
 * Made once for each version of node; shared by all installations.
 */
export async function ensureBaseImage(ctx: PluginContext<Config>): Promise<string> {
  if (ctx.config.baseImage !== "") return requireImage(ctx, ctx.config.baseImage);
  const node = await realpath(process.execPath);
  const { size, mtimeMs } = await stat(node);
  const key = createHash("sha256").update(`1 ${process.version} ${node} ${size} ${mtimeMs}`).digest("hex").slice(0, 12);
  const image = `helix-base:${process.version}-${key}`;
  if (await exists(ctx, image)) return image;
  ctx.progress("making the base image from this machine's node");
  const root = join(ctx.workdir, "base");
  await fillRoot(root, node);
  await importImage(ctx, { root, image });
  return image;
}

async function requireImage(ctx: PluginContext<Config>, image: string): Promise<string> {
  if (await exists(ctx, image)) return image;
  throw new PluginError("NOT_FOUND", `the base image ${image} is not on this Docker Engine`, {
    hint: `Pull it (\`docker pull ${image}\`), or leave baseImage empty to have one made from this machine's node.`,
  });
}

async function exists(ctx: PluginContext<Config>, image: string): Promise<boolean> {
  return (await askUnless([404], `inspect ${image}`, () => engineOf(ctx).getImage(image).inspect())) !== null;
}

async function fillRoot(root: string, node: string): Promise<void> {
  for (const folder of ["tmp", "app", "etc", "proc", "sys", "dev", "root", "usr/bin", "helix/data"])
    await mkdir(join(root, folder), { recursive: true, mode: 0o755 });
  const sh = await realpath("/bin/sh");
  await install(node, join(root, "usr/local/bin/node"));
  await install(sh, join(root, "bin/sh"));
  for (const library of new Set([...(await librariesOf(node)), ...(await librariesOf(sh))])) await install(library, join(root, library));
  await writeFile(
    join(root, "etc/passwd"),
    "root:x:0:0:root:/app:/bin/sh\napp:x:1000:1000:app:/app:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
  );
  await writeFile(join(root, "etc/group"), "root:x:0:\napp:x:1000:\nnogroup:x:65534:\n");
  await writeFile(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
}

/** The shared libraries that a program loads, by absolute path, as the loader itself lists them. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)("ldd", [program]).catch((error: Error) => {
    throw new PluginError("UNSUPPORTED", `the libraries of ${program} cannot be listed: ${error.message}`, {
      hint: "Name an image with node in the plugin's `baseImage`.",
    });
  });
  return [...stdout.matchAll(/(?:=> )?(\/[^\s]+) \(0x/g)].map((match) => match[1] ?? "").filter((path) => path !== "");
}

async function install(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}

async function importImage(ctx: PluginContext<Config>, { root, image }: { root: string; image: string }): Promise<void> {
  const [repo, tag] = image.split(":");
  const stream = archive(root, (header) => ({
    ...header,
    uid: 0,
    gid: 0,
    mode: WRITABLE.has(header.name) ? 0o1777 : (header.mode ?? 0o755),
  }));
  await ask("make the base image", async () => {
    const answer = (await engineOf(ctx).importImage(stream, { repo, tag, changes: "LABEL helix.kind=base" })) as unknown as Readable;
    for await (const _ of answer);
  });
  if (!(await exists(ctx, image))) throw new PluginError("INTERNAL", `the Docker Engine took the base image ${image} but does not have it`);
}
