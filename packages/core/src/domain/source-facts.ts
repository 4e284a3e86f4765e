import { type SourceEntry, entriesBelow } from "./source-digest.ts";

/** What a policy may know of a service's source. */
export interface SourceFacts {
  readonly files: number;
  readonly sizeBytes: number;
  /** Lockfiles at the top of the source. */
  readonly lockfiles: readonly string[];
}

const LOCKFILES = new Set(["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"]);

/** The facts of what lies below `folder`. A lockfile of a workspace stands at the top of all, and counts for the services below it. */
export function sourceFacts(entries: readonly SizedEntry[], folder: string): SourceFacts {
  const files = entries.filter((entry) => entry.type === "file" && entriesBelow([entry], folder).length > 0);
  const top = entries.map(({ path }) => path);
  const own = entriesBelow(entries, folder).map(({ path }) => path);
  return {
    files: files.length,
    sizeBytes: files.reduce((sum, { size = 0 }) => sum + size, 0),
    lockfiles: [...new Set([...own, ...top])].filter((path) => LOCKFILES.has(path)).toSorted(),
  };
}

type SizedEntry = SourceEntry & { readonly size?: number };
