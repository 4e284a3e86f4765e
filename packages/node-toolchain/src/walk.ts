import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Something in a folder: its path relative to the folder that was walked, `/` separated. */
export interface Found {
  readonly path: string;
  readonly entry: Dirent;
}

/** Everything below a folder in order of names, a folder before what is in it. Links are not followed; `enter` says which folders are. */
export async function* walk(root: string, { enter }: { readonly enter: (path: string) => boolean }): AsyncGenerator<Found> {
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    const folders: string[] = [];
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      yield { path, entry };
      if (entry.isDirectory() && enter(path)) folders.push(path);
    }
    pending.push(...folders.reverse());
  }
}
