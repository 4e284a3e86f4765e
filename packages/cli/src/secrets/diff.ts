import { EngineError, type SecretChange, type SecretItem } from "@helixstack/core/client";
import { resolve } from "node:path";
import type { Cli } from "../cli.ts";
import { columns } from "../output/table.ts";
import { openSession } from "../plane/session.ts";
import { readEnvFile } from "./env-file.ts";
import { type PlaceOptions, placeOf } from "./place.ts";
import { listedSecrets } from "./unlisted.ts";

export interface DiffOptions extends PlaceOptions {
  readonly with?: string;
}

/** A name and where it is, in words. */
interface Difference {
  readonly name: string;
  readonly state: string;
}

/** Compares names (and, against a file, whether values are equal). Shows names only. */
export async function diff(cli: Cli, path: string | undefined, options: DiffOptions): Promise<void> {
  const place = placeOf(cli, options);
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const namesAt = async (where: string) => {
    const { items } = await http.request<{ items: readonly SecretItem[] }>("GET", where);
    return new Set(items.map(({ name }) => name));
  };
  const differences = await compared();
  cli.result({ differences }, () => {
    if (differences.length === 0) return "No difference.";
    return columns(differences.map(({ name, state }) => [name, state]));
  });

  async function compared(): Promise<readonly Difference[]> {
    if (path !== undefined) {
      const { values } = readEnvFile(resolve(cli.cwd, path));
      const { items } = await http.request<{ items: readonly SecretChange[] }>("POST", `${place.path}/import`, {
        body: { values, dryRun: true },
        repeatable: true,
      });
      const extra = [...(await namesAt(place.path))]
        .filter((name) => !(name in values))
        .map((name) => ({ name, state: `only in ${place.shown}` }));
      const named = items.flatMap(({ name, action }) =>
        action === "same" ? [] : [{ name, state: action === "create" ? `only in ${path}` : "has another value" }],
      );
      return sorted([...named, ...extra]);
    }
    const here = await namesAt(place.path);
    if (options.with !== undefined) {
      const other = placeOf(cli, { ...options, environment: options.with });
      return between({ names: here, shown: place.shown }, { names: await namesAt(other.path), shown: other.shown });
    }
    const listed = listedSecrets(cli, options);
    if (listed === null)
      throw new EngineError("MANIFEST_NOT_FOUND", "There is no helix.yaml to compare with.", {
        hint: "Name a file, or `--with ENVIRONMENT`.",
      });
    return between({ names: listed, shown: "helix.yaml" }, { names: here, shown: place.shown });
  }
}

interface Side {
  readonly names: ReadonlySet<string>;
  readonly shown: string;
}

function between(left: Side, right: Side): readonly Difference[] {
  const only = (one: Side, other: Side) =>
    [...one.names].filter((name) => !other.names.has(name)).map((name) => ({ name, state: `only in ${one.shown}` }));
  return sorted([...only(left, right), ...only(right, left)]);
}

function sorted(differences: readonly Difference[]): readonly Difference[] {
  return differences.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
