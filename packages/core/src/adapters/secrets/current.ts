import type { Secret } from "@helixstack/sdk";
import type { SecretPath } from "../../domain/secret-names.ts";
import type { Scope } from "../../ports/scope.ts";
import type { SecretReader } from "../../ports/secret-store.ts";

/** The value of the current version. Rejects with `SECRET_MISSING` when there is none. */
export async function currentSecret(
  store: SecretReader,
  scope: Scope,
  { path, name }: { readonly path: SecretPath; readonly name: string },
): Promise<Secret> {
  const [ref] = await store.pin(scope, { path, names: [name] });
  return store.read(scope, { path, ref: ref! });
}
