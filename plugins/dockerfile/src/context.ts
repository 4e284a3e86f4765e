import { readFile, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pack } from "tar-fs";
import { type Ignores, parseDockerIgnore } from "./docker-ignore.ts";

/** The source as a tar stream, without what `.dockerignore` leaves out. Owners are dropped, so that the builder's cache knows a file again. */
export async function packContext(source: string, dockerfile: string): Promise<Readable> {
  const ignores = parseDockerIgnore(await readFile(join(source, ".dockerignore"), "utf8").catch(() => ""));
  const wanted = await listWanted(source, { ignores, always: new Set([dockerfile, ".dockerignore"]) });
  const packed = pack(source, {
    ignore: (path) => !wanted.has(relative(source, path)),
    map: (header) => ({ ...header, uid: 0, gid: 0 }),
    strict: false,
    sort: true,
  } as Parameters<typeof pack>[1]);
  const out = new PassThrough();
  packed.on("error", (error: Error) => out.destroy(error));
  packed.pipe(out as never);
  return out;
}

interface Selection {
  readonly ignores: Ignores;
  /** What the builder itself needs, whatever is ignored. */
  readonly always: ReadonlySet<string>;
}

/** The paths to send, with the folders around them. All folders are looked into: an exception may stand in one that is left out. */
async function listWanted(source: string, { ignores, always }: Selection): Promise<ReadonlySet<string>> {
  const wanted = new Set<string>();
  const want = (path: string): void => {
    for (let part = path; part !== ""; part = part.includes("/") ? part.slice(0, part.lastIndexOf("/")) : "") wanted.add(part);
  };
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readdir(join(source, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (!ignores(path) || always.has(path)) want(path);
      if (entry.isDirectory()) pending.push(path);
    }
  }
  return wanted;
}
