import { constants } from "node:fs";
import { chmod, copyFile, mkdir, readdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EngineError } from "../../domain/errors.ts";
import type { Snapshot, SnapshotEntry } from "../../ports/stores.ts";
import { hasCode, toDiskError } from "../files.ts";
import { blobPath, type BlobFolder } from "./blobs.ts";
import { each } from "./each.ts";
import { linkDestination } from "./links.ts";
import { linksOf } from "./snapshot.ts";
import { removeTree } from "./temp.ts";

const AT_ONCE = 16;

interface Checkout {
  readonly snapshot: Snapshot;
  readonly folder: string;
  readonly target: string;
}

/** Copies, so that what a build does to its files stays with it. Shares blocks where the file system can. */
export async function checkout(blobs: BlobFolder, { snapshot, folder, target }: Checkout): Promise<void> {
  const entries = entriesBelow(snapshot, folder);
  await mkdir(target, { recursive: true, mode: 0o755 });
  if ((await readdir(target)).length > 0) throw new EngineError("BUG", `${target} is not empty: a checkout needs a folder of its own`);
  try {
    const parents = new Set(entries.map((entry) => (entry.type === "folder" ? entry.path : dirname(entry.path))));
    for (const parent of [...parents].sort()) await mkdir(join(target, parent), { recursive: true, mode: 0o755 });
    await each(entries, AT_ONCE, (entry) => write(blobs, target, entry));
  } catch (thrown) {
    await removeTree(target);
    if (hasCode(thrown, "ENOENT"))
      throw new EngineError("SNAPSHOT_INCOMPLETE", "a content of the snapshot is not here any more", { cause: thrown });
    throw toDiskError(thrown, target);
  }
}

async function write(blobs: BlobFolder, target: string, entry: SnapshotEntry): Promise<void> {
  const path = join(target, entry.path);
  if (entry.type === "folder") return;
  if (entry.type === "link") return symlink(entry.target, path);
  await copyFile(blobPath(blobs, entry.digest), path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await chmod(path, entry.mode === "755" ? 0o755 : 0o644);
}

/** The entries below a folder, as seen from it. A link that leads out of the folder would lead anywhere once the folder stands alone. */
function entriesBelow({ entries }: Snapshot, folder: string): readonly SnapshotEntry[] {
  if (folder === ".") return entries;
  const prefix = `${folder.replace(/^\.\//, "").replace(/\/+$/, "")}/`;
  const below = entries.filter((entry) => entry.path.startsWith(prefix));
  if (below.length === 0) throw new EngineError("SOURCE_INVALID", `the source has no folder ${JSON.stringify(folder)}, or it is empty`);
  const links = linksOf(entries);
  for (const path of links.keys()) {
    if (!path.startsWith(prefix)) continue;
    const leadsTo = linkDestination(path, links);
    if (`${leadsTo}/`.startsWith(prefix)) continue;
    const hint = "Set the service's `source` to a folder that holds both, or copy the file.";
    throw new EngineError("SOURCE_INVALID", `the link ${path} leads out of the service's folder ${folder}, to ${leadsTo}`, { hint });
  }
  return below.map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }));
}
