import { Secret } from "@helixstack/sdk";
import { isReservedName } from "../../domain/secret-names.ts";
import { EngineError } from "../../domain/errors.ts";
import type { Scope, SecretPath, SecretStore } from "../../ports/index.ts";

/** What becomes of one name. */
export interface SecretChange {
  readonly name: string;
  readonly action: "create" | "update" | "same";
}

interface Asked {
  readonly path: SecretPath;
  readonly values: Readonly<Record<string, string>>;
}

/** Compares values with what is there. Shows which differ, not how. */
export async function compare(
  store: SecretStore,
  scope: Scope,
  { path, values }: Asked,
): Promise<readonly (SecretChange & { readonly version: string | null })[]> {
  for (const name of Object.keys(values)) refuseReserved(name);
  const now = new Map((await store.list(scope, path)).map(({ name, version }) => [name, version]));
  return Promise.all(
    Object.entries(values).map(async ([name, value]) => {
      const version = now.get(name) ?? null;
      if (version === null) return { name, action: "create", version } as const;
      const current = await store.read(scope, { path, ref: { name, version } });
      return { name, action: current.reveal() === value ? "same" : "update", version } as const;
    }),
  );
}

interface Import extends Asked {
  /** Told of each name when it is set: those before a refusal stay set. */
  readonly onSet: (name: string) => void;
}

/** Sets what differs, each name only if it is still as it was compared. */
export async function importValues(store: SecretStore, scope: Scope, asked: Import): Promise<readonly SecretChange[]> {
  const changes = await compare(store, scope, asked);
  for (const { name, action, version } of changes) {
    if (action === "same") continue;
    await store.set(scope, { path: asked.path, name, value: new Secret(asked.values[name]!), expect: version });
    asked.onSet(name);
  }
  return changes;
}

/** What a runtime sets itself can be no secret. */
export function refuseReserved(name: string): void {
  if (isReservedName(name)) throw new EngineError("SECRET_INVALID", `${name} is set by HelixStack itself; choose another name`);
}
