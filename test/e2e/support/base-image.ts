import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBaseImage } from "../../../plugins/docker/src/base-image.ts";

/** An image with this machine's own `node` and `sh`, for Dockerfiles: none can be pulled everywhere. */
export async function baseImage(): Promise<string> {
  const workdir = await mkdtemp(join(tmpdir(), "helix-base-"));
  try {
    const config = { socket: "/var/run/docker.sock", baseImage: "" };
    return await ensureBaseImage({ config, workdir, progress: () => {}, signal: new AbortController().signal } as never);
  } finally {
    await rm(workdir, { recursive: true, force: true });
  }
}
