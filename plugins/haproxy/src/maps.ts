import { join } from "node:path";
import { type Entry, MAPS, type MapName } from "./entries.ts";
import { refused } from "./failures.ts";
import type { RuntimeApi } from "./runtime-api.ts";

/** Lines of one payload: all of them have to fit into HAProxy's buffer. */
const LINES = 50;

/** The maps of the HAProxy that runs. */
export interface Maps {
  /** The value of a key; null when it has none. */
  get(map: MapName, key: string): Promise<string | null>;
  /** Every entry of every map. */
  all(): Promise<readonly Entry[]>;
  /** Sets those of the entries that have a value, map by map, so that nothing points at what is not there yet. */
  set(entries: readonly Entry[]): Promise<void>;
  /** Removes those that have none, in the given order. */
  drop(entries: readonly Entry[]): Promise<void>;
}

export function mapsOf(api: RuntimeApi, stateDir: string): Maps {
  const file = (map: MapName): string => join(stateDir, `${map}.map`);

  const get: Maps["get"] = async (map, key) => {
    const answer = await api.ask(`get map ${file(map)} ${key}`);
    return /found=yes/.test(answer) ? (/ value="([^"]*)"/.exec(answer)?.[1] ?? "") : null;
  };

  /** Routes are new nearly always, and to find one by `set` is a walk through all of them. */
  const put = async (entries: readonly Entry[], map: MapName): Promise<readonly Entry[]> => {
    if (map === "routes") return missing(entries, await Promise.all(entries.map(({ key }) => get(map, key))));
    const answers = await Promise.all(entries.map(({ key, value }) => api.ask(`set map ${file(map)} ${key} ${value}`)));
    return entries.filter((entry, i) => isUnknown(answers[i]!, entry));
  };

  const add = async (entries: readonly Entry[], map: MapName): Promise<void> => {
    for (let at = 0; at < entries.length; at += LINES) {
      const command = `add map ${file(map)}`;
      const answer = await api.ask(
        command,
        entries.slice(at, at + LINES).map(({ key, value }) => `${key} ${value}`),
      );
      if (answer !== "") throw refused(command, answer);
    }
  };

  const entriesIn = async (map: MapName): Promise<readonly Entry[]> => {
    const answer = await api.ask(`show map ${file(map)}`);
    return [...answer.matchAll(/^0x[0-9a-f]+ (\S+) (.*)$/gm)].map(([, key, value]) => ({ map, key: key!, value: value! }));
  };

  return {
    get,
    all: async () => (await Promise.all(MAPS.map(entriesIn))).flat(),
    async set(entries) {
      for (const map of MAPS) {
        const own = entries.filter((entry) => entry.map === map && entry.value !== null);
        if (own.length > 0) await add(await put(own, map), map);
      }
    },
    async drop(entries) {
      const gone = entries.filter(({ value }) => value === null);
      await Promise.all(gone.map(({ map, key }) => api.ask(`del map ${file(map)} ${key}`)));
    },
  };
}

function missing(entries: readonly Entry[], values: readonly (string | null)[]): readonly Entry[] {
  return entries.filter((_, i) => values[i] === null);
}

function isUnknown(answer: string, { map, key }: Entry): boolean {
  if (answer === "") return false;
  if (/not found/i.test(answer)) return true;
  throw refused(`set map ${map} ${key}`, answer);
}
