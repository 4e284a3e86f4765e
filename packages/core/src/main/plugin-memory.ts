import { readFileSync } from "node:fs";
import { writeWhole } from "../adapters/files.ts";
import type { PluginMemory } from "../host/index.ts";

/** What was checked before, in one file of the home; it is written again when something new was checked. */
export interface KeptMemory extends PluginMemory {
  /** Never rejects: what is not kept is checked again. */
  keep(): Promise<void>;
}

type Known = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export function openPluginMemory(file: string): KeptMemory {
  const before = read(file);
  const now: Record<string, Readonly<Record<string, unknown>>> = {};
  const digests = new Set(Object.keys(before).map((key) => key.split(" ")[0]));
  return {
    knows: (digest) => digests.has(digest),
    get(key) {
      const config = before[key];
      if (config) now[key] = config;
      return config;
    },
    set(key, config) {
      now[key] = config;
    },
    async keep() {
      // Plugins that are not there any more go with it.
      const isSame = Object.keys(now).toSorted().join("\n") === Object.keys(before).toSorted().join("\n");
      if (!isSame) await writeWhole(file, JSON.stringify(now)).catch(() => {});
    },
  };
}

function read(file: string): Known {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Known;
  } catch {
    return {};
  }
}
