import { watch } from "chokidar";
import { relative, sep } from "node:path";
import type { ManifestFile } from "../project/manifest-file.ts";
import { type IgnoreRules, ignoreRules } from "../source/ignore-rules.ts";

const QUIET_MS = 150;

/** Tells of changes to a source: one wait per burst of saves. */
export interface SourceChanges {
  /** Resolves at the next change, at once if there was one since the last call; false when watching has ended. */
  readonly next: () => Promise<boolean>;
}

/** Watches what a deploy would take, and the manifest. */
export function watchSource(manifest: ManifestFile, signal: AbortSignal): SourceChanges {
  const root = manifest.folder;
  const watcher = watch(root, {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path, stats) => isIgnored(relative(root, path), { root, isFolder: stats?.isDirectory() ?? false }),
  });
  const state = { isDirty: false, wake: () => {}, timer: undefined as NodeJS.Timeout | undefined };
  watcher.on("all", () => {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => {
      state.isDirty = true;
      state.wake();
    }, QUIET_MS);
  });
  signal.addEventListener("abort", () => {
    clearTimeout(state.timer);
    state.wake();
    void watcher.close();
  });
  return {
    next: async () => {
      if (!state.isDirty && !signal.aborted) await new Promise<void>((resolve) => (state.wake = resolve));
      state.isDirty = false;
      return !signal.aborted;
    },
  };
}

/** The rules are read anew each time: the ignore files are among what people save. */
function isIgnored(path: string, { root, isFolder }: { readonly root: string; readonly isFolder: boolean }): boolean {
  if (path === "") return false;
  const names = path.split(sep);
  let rules: IgnoreRules = ignoreRules(root);
  for (const [i, name] of names.entries()) {
    const isLast = i === names.length - 1;
    if (rules.hides(name, isLast && !isFolder ? "file" : "folder")) return true;
    if (!isLast) rules = rules.enter(name);
  }
  return false;
}
