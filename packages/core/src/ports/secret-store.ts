import type { Secret, SecretRef } from "@helixstack/sdk";
import type { SecretPath } from "../domain/secret-names.ts";
import type { Scope } from "./scope.ts";

export type { SecretPath } from "../domain/secret-names.ts";

/** Reads scoped secrets. A path that is not made of proper names is `SCOPE_FORBIDDEN`; a store that is not reached is `SECRET_STORE_DOWN` within three seconds. */
export interface SecretReader {
  /** The current versions of these names. Rejects with `SECRET_MISSING` (naming all that are), `SECRET_STORE_DOWN` or `SECRET_STORE_DENIED`. */
  pin(scope: Scope, input: { readonly path: SecretPath; readonly names: readonly string[] }): Promise<readonly SecretRef[]>;
  /** One version's value. Rejects with `SECRET_MISSING` when it was removed. */
  read(scope: Scope, input: { readonly path: SecretPath; readonly ref: SecretRef }): Promise<Secret>;
}

/** A secret as lists show it. */
export interface SecretItem {
  readonly name: string;
  /** The current version: `1`, `2`, and so on; never given twice for a name. */
  readonly version: string;
  /** When that version was set, ISO 8601. */
  readonly updatedAt: string;
}

/** Reads and writes them. */
export interface SecretStore extends SecretReader {
  readonly kind: "local" | "vault";
  /** Rejects with `SECRET_STORE_DOWN` or `SECRET_STORE_DENIED`, saying why, unless it can be used. */
  check(): Promise<void>;
  /** By name. */
  list(scope: Scope, path: SecretPath): Promise<readonly SecretItem[]>;
  /**
   * Makes a new version. `expect`: the version that must be current (null: there must be none); undefined takes any. Rejects with `SECRET_CHANGED` when it is
   * another, and with `SECRET_INVALID` for a value that cannot be one.
   */
  set(scope: Scope, input: SetSecret): Promise<SecretItem>;
  /** Destroys all versions. False when there was none. */
  remove(scope: Scope, input: { readonly path: SecretPath; readonly name: string }): Promise<boolean>;
  /** Makes a new key and seals everything with it, where the store keeps its key itself. Resolves to how many values that were. */
  rotateKey?(): Promise<number>;
  close(): Promise<void>;
}

export interface SetSecret {
  readonly path: SecretPath;
  readonly name: string;
  readonly value: Secret;
  readonly expect?: string | null | undefined;
}
