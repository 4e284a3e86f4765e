import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { writeWhole } from "../../files.ts";
import type { KeyRing } from "./key-ring.ts";
import { seal, unseal } from "./seal.ts";
import { readVersion, textOf, versionPath, versionsIn } from "./version-files.ts";

/**
 * Seals everything with a new key. The old key is forgotten only when nothing needs it any more: killed in the middle, all values open, and the next rotation ends
 * what this one began.
 */
export async function rotate({ root, ring }: { readonly root: string; readonly ring: KeyRing }): Promise<number> {
  const { id } = await ring.renew();
  let count = 0;
  // A second round finds what was set with the old key while the first one went through the files.
  for (let isSettled = false; !isSettled;) {
    const resealed = await resealAll({ root, ring, id });
    isSettled = resealed === 0;
    count += resealed;
  }
  await ring.drop();
  return count;
}

async function resealAll({ root, ring, id }: { readonly root: string; readonly ring: KeyRing; readonly id: string }): Promise<number> {
  let count = 0;
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
