import { cp, mkdir, readFile, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ArtifactKind, ArtifactOf, Digest } from "@helixstack/sdk";
import type { ArtifactFacts, ArtifactStore } from "../../ports/stores.ts";
import { hasCode, syncFolder, toDiskError, writeWhole } from "../files.ts";
import { readPackages } from "./artifact-facts.ts";
import { freshen, mayBePruned } from "./age.ts";
import { hexOf, isDigest } from "./digests.ts";
import { removeTree, sweepTemp, tempPath } from "./temp.ts";
import { normalizeModes, readTree, type Tree } from "./tree.ts";

export interface ArtifactStoreOptions {
  /** The store's own folder. On the file system of the build folders, or else artifacts are copied into it. */
  readonly root: string;
}

/** Stands beside the content: what it is, and in which boot of the machine it was last known to be whole. */
interface Marker extends Tree {
  readonly boot: string;
}

/**
 * Keeps artifacts in folders by digest. A folder appears under its digest by one rename, when it is whole. What a power cut may have taken
 * from it is found out at the first `has` after the machine's restart, which reads it all.
 */
export async function openFolderArtifactStore(options: ArtifactStoreOptions): Promise<ArtifactStore> {
  const { root } = options;
  const temp = join(root, "tmp");
  await sweepTemp(temp);
  const place = (digest: Digest) => join(root, hexOf(digest));
  const uriOf = (digest: Digest) => pathToFileURL(join(place(digest), "content")).href;

  const remove = (hex: string) => removeArtifact(join(root, hex), tempPath(temp));

  return {
    async put<K extends ArtifactKind>(kind: K, { folder, metadata }: { folder: string; metadata: ArtifactOf<K>["metadata"] }) {
      const half = tempPath(temp);
      try {
        await mkdir(half);
        await move(folder, join(half, "content"));
        await normalizeModes(join(half, "content"));
        const tree = await readTree(join(half, "content"));
        await writeMarker(half, tree);
        await settle(half, place(tree.digest));
        return { kind, digest: tree.digest, uri: uriOf(tree.digest), metadata };
      } catch (thrown) {
        await removeTree(half);
        throw toDiskError(thrown, root);
      }
    },

    async has({ digest, uri }) {
      if (!isDigest(digest) || uri !== uriOf(digest)) return false;
      if (!(await isWhole(place(digest), digest))) return false;
      await freshen(place(digest));
      return true;
    },

    async facts({ digest, uri }) {
      const marker = isDigest(digest) && uri === uriOf(digest) ? await readMarker(place(digest)) : null;
      if (marker === null) return null;
      const file = join(place(digest), "facts.json");
      const known = await readFile(file, "utf8").catch(() => null);
      if (known !== null) return JSON.parse(known) as ArtifactFacts;
      const { sizeBytes, files } = marker;
      const facts = { sizeBytes, files, packages: await readPackages(join(place(digest), "content")) };
      await writeWhole(file, JSON.stringify(facts), 0o644);
      return facts;
    },

    async prune(keep, options) {
      const kept = new Set(keep.filter(isDigest).map(hexOf));
      let freed = 0;
      for (const hex of await readdir(root)) {
        if (!/^[0-9a-f]{64}$/.test(hex) || kept.has(hex)) continue;
        if (!(await mayBePruned(join(root, hex), options))) continue;
        freed += await remove(hex);
      }
      return freed;
    },

    async drop(digests) {
      let freed = 0;
      for (const digest of new Set(digests.filter(isDigest))) freed += await remove(hexOf(digest));
      return freed;
    },
  };
}

/** Gone under its name at once; a kill in the middle leaves only what the next sweep takes. Answers with the bytes freed. */
async function removeArtifact(place: string, going: string): Promise<number> {
  const bytes = (await readMarker(place))?.sizeBytes ?? 0;
  try {
    await rename(place, going);
  } catch (thrown) {
    if (hasCode(thrown, "ENOENT")) return 0;
    throw thrown;
  }
  await removeTree(going);
  return bytes;
}

/** Of several with the same content at once, the first stays. One that is there and not whole is replaced. */
async function settle(half: string, place: string): Promise<void> {
  try {
    await rename(half, place);
  } catch (thrown) {
    if (!hasCode(thrown, "ENOTEMPTY", "EEXIST")) throw thrown;
    const marker = await readMarker(place);
    if (marker !== null && (await isWhole(place, marker.digest))) return removeTree(half);
    const broken = `${half}-broken`;
    await rename(place, broken);
    await rename(half, place);
    await removeTree(broken);
  }
  await syncFolder(join(place, ".."));
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (thrown) {
    if (!hasCode(thrown, "EXDEV")) throw thrown;
    await cp(from, to, { recursive: true, verbatimSymlinks: true });
    await removeTree(from);
  }
}

async function isWhole(place: string, digest: Digest): Promise<boolean> {
  const marker = await readMarker(place);
  if (marker === null || marker.digest !== digest) return false;
  if (marker.boot === (await bootId())) return true;
  const tree = await readTree(join(place, "content")).catch(() => null);
  if (tree?.digest !== digest) return false;
  await writeMarker(place, tree);
  return true;
}

async function writeMarker(place: string, tree: Tree): Promise<void> {
  const marker: Marker = { ...tree, boot: await bootId() };
  await writeWhole(join(place, "artifact.json"), `${JSON.stringify(marker)}\n`, 0o644);
}

async function readMarker(place: string): Promise<Marker | null> {
  try {
    return JSON.parse(await readFile(join(place, "artifact.json"), "utf8")) as Marker;
  } catch {
    return null;
  }
}

/** Names this boot of the machine; the same for ever where the system does not say. */
function bootId(): Promise<string> {
  return readFile("/proc/sys/kernel/random/boot_id", "utf8").then(
    (text) => text.trim(),
    () => "unknown",
  );
}
