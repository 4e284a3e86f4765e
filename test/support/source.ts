import { createHash } from "node:crypto";

type Ask = (method: string, path: string, body: unknown, headers?: Readonly<Record<string, string>>) => Promise<unknown>;

/** Stores files through the API, and answers with the snapshot's digest. */
export async function storeSource(ask: Ask, files: Readonly<Record<string, string>>): Promise<string> {
  const entries = Object.entries(files).map(([path, content]) => ({
    path,
    type: "file",
    mode: "644",
    size: Buffer.byteLength(content),
    digest: `sha256:${createHash("sha256").update(content).digest("hex")}`,
  }));
  for (const [at, content] of Object.values(files).entries()) {
    await ask("PUT", `/v1/blobs/${entries[at]!.digest}`, Buffer.from(content), { "content-type": "application/octet-stream" });
  }
  return ((await ask("POST", "/v1/snapshots", { entries })) as { digest: string }).digest;
}
