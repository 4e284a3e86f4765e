import type { Secret, SecretRef } from "@helixstack/sdk";
import type { Scope } from "./scope.ts";

/** Where secrets of one environment live. */
export interface SecretPath {
  readonly project: string;
  readonly environment: string;
}

/** Reads scoped secrets. */
export interface SecretStore {
  /** The current versions of these names. Rejects with `SECRET_MISSING` (naming all that are) or `SECRET_STORE_DOWN`. */
  pin(scope: Scope, input: { readonly path: SecretPath; readonly names: readonly string[] }): Promise<readonly SecretRef[]>;
  /** One version's value. */
  read(scope: Scope, input: { readonly path: SecretPath; readonly ref: SecretRef }): Promise<Secret>;
}
