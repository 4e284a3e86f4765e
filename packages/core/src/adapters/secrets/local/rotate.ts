import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { writeWhole } from "../../files.ts";
import type { KeyRing } from "./key-ring.ts";
import { seal, unseal } from "./seal.ts";
import { readVersion, textOf, versionPath, versionsIn } from "./version-files.ts";

/**
 * Seals everything with a new key. The old key is forgotten only when nothing needs it any more: killed in the middle, all values open, and the next rotation ends
 * what this one began. One rotation at a time: who asks during one is told what that one did.
 */
export function rotator(store: Store): () => Promise<number> {
  let running: Promise<number> | null = null;
  return () => (running ??= rotate(store).finally(() => (running = null)));
}

interface Store {
  readonly root: string;
  readonly ring: KeyRing;
}

async function rotate(store: Store): Promise<number> {
  const { id } = await store.ring.renew();
  let count = 0;
  // A second round finds what was set with the old key while the first one went through the files.
  for (let isSettled = false; !isSettled;) {
    const resealed = await resealAll(store);
    isSettled = resealed === 0;
    count += resealed;
  }
  // Another process began one meanwhile: it drops the keys when it is through.
  if ((await store.ring.latest()).id === id) await store.ring.drop();
  return count;
}

async function resealAll({ root, ring }: Store): Promise<number> {
  let count = 0;
  const { id } = await ring.latest();
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const folder of entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))) {
    for (const version of await versionsIn(folder)) {
      const found = await readVersion(folder, version);
      if (!found?.sealed || found.sealed.key === id) continue;
      const place = `${relative(root, folder).split(sep).join("/")}@${version}`;
      const value = await unseal(ring, { sealed: found.sealed, place });
      await writeWhole(versionPath(folder, version), textOf({ ...found, sealed: await seal(ring, { value, place }) }), 0o600);
      count++;
    }
  }
  return count;
}
