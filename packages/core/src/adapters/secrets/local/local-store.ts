import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Secret } from "@helixstack/sdk";
import { EngineError } from "../../../domain/errors.ts";
import { type SecretPath, requireSecretName, secretSegments } from "../../../domain/secret-names.ts";
import type { Scope } from "../../../ports/scope.ts";
import type { SecretItem, SecretStore, SetSecret } from "../../../ports/secret-store.ts";
import { writeWhole } from "../../files.ts";
import { changed, checkValue, goneVersion, missing } from "../refusals.ts";
import { type KeyRing, openKeyRing } from "./key-ring.ts";
import { rotator } from "./rotate.ts";
import { seal, unseal } from "./seal.ts";
import { type VersionFile, claimVersion, dropVersion, namesIn, readVersion, textOf, versionPath, versionsIn } from "./version-files.ts";

export interface LocalStoreOptions {
  /** Where sealed values are. */
  readonly root: string;
  /** The key file, outside of `root`. */
  readonly keyFile: string;
}

interface Store {
  readonly root: string;
  readonly ring: KeyRing;
}

/**
 * Secrets in files of this machine, each version sealed on its own. Several processes may use it at once. `data/secrets` without its key file is of no use to
 * anybody, its owner included.
 */
export async function openLocalSecretStore({ root, keyFile }: LocalStoreOptions): Promise<SecretStore> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const store: Store = { root, ring: openKeyRing(keyFile) };
  return {
    kind: "local",
    check: async () => void (await store.ring.current()),
    pin: (scope, input) => pin(store, scope, input),
    read: (scope, { path, ref }) => read(store, { scope, path, name: ref.name, version: ref.version }),
    list: (scope, path) => list(store, scope, path),
    set: (scope, input) => set(store, scope, input),
    remove: (scope, input) => remove(store, scope, input),
    rotateKey: rotator(store),
    close: () => Promise.resolve(),
  };
}

async function pin(store: Store, scope: Scope, { path, names }: { readonly path: SecretPath; readonly names: readonly string[] }) {
  const items = await Promise.all(names.map((name) => current(placeOf(store, { scope, path, name }))));
  const lost = names.filter((_, i) => items[i] === null);
  if (lost.length > 0) throw missing(path, lost);
  // An unusable key is told while planning, not when the new revision starts.
  if (names.length > 0) await store.ring.current();
  return items.map((item) => ({ name: item!.name, version: item!.version }));
}

async function read(store: Store, wanted: Wanted & { readonly version: string }): Promise<Secret> {
  const { folder, place, name } = placeOf(store, wanted);
  const { version, path } = wanted;
  const found = /^[1-9][0-9]{0,8}$/.test(version) ? await readVersion(folder, version) : null;
  if (!found?.sealed) throw goneVersion(path, { name, version });
  try {
    return new Secret(await unseal(store.ring, { sealed: found.sealed, place: `${place}@${version}` }));
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const hint = `Set it again: \`helix secrets set ${name}\`.`;
    throw new EngineError("SECRET_STORE_DOWN", `the file of secret ${name}, version ${version}, does not open: it was changed or moved`, {
      hint,
      retryable: false,
    });
  }
}

async function list(store: Store, scope: Scope, path: SecretPath): Promise<readonly SecretItem[]> {
  const names = await namesIn(join(store.root, ...secretSegments(scope.organization, path)));
  const items = await Promise.all(names.toSorted().map((name) => current(placeOf(store, { scope, path, name }))));
  return items.filter((item) => item !== null);
}

async function set(store: Store, scope: Scope, { path, name, value, expect }: SetSecret): Promise<SecretItem> {
  checkValue(name, value);
  const at = placeOf(store, { scope, path, name });
  for (;;) {
    const now = await current(at);
    if (expect !== undefined && (now?.version ?? null) !== expect) throw changed(name, { expect, found: now?.version ?? null });
    const version = ((await versionsIn(at.folder)).at(-1) ?? 0) + 1;
    const updatedAt = new Date().toISOString();
    const sealed = await seal(store.ring, { value: value.reveal(), place: `${at.place}@${version}` });
    if (await claimVersion(at.folder, { version, content: { at: updatedAt, sealed } })) {
      await keepReadable(store, { at, version, content: { at: updatedAt, sealed }, value });
      return { name, version: String(version), updatedAt };
    }
    // Somebody else was first: without an expectation this one is simply the next.
  }
}

interface Fresh {
  readonly at: Place;
  readonly version: number;
  readonly content: VersionFile;
  readonly value: Secret;
}

/** A rotation that went through the files before this one was there forgets the key that it was sealed with. */
async function keepReadable({ ring }: Store, { at, version, content, value }: Fresh): Promise<void> {
  for (let key = content.sealed?.key; key !== (await ring.latest()).id;) {
    const sealed = await seal(ring, { value: value.reveal(), place: `${at.place}@${version}` });
    await writeWhole(versionPath(at.folder, version), textOf({ ...content, sealed }));
    key = sealed.key;
  }
}

async function remove(store: Store, scope: Scope, { path, name }: { readonly path: SecretPath; readonly name: string }): Promise<boolean> {
  const at = placeOf(store, { scope, path, name });
  for (;;) {
    const versions = await versionsIn(at.folder);
    if ((await current(at)) === null) return false;
    const version = versions.at(-1)! + 1;
    if (!(await claimVersion(at.folder, { version, content: { at: new Date().toISOString(), sealed: null } }))) continue;
    for (const old of versions) await dropVersion(at.folder, old);
    return true;
  }
}

interface Wanted {
  readonly scope: Scope;
  readonly path: SecretPath;
  readonly name: string;
}

interface Place {
  readonly name: string;
  readonly folder: string;
  /** What is authenticated with the value. */
  readonly place: string;
}

function placeOf({ root }: Store, { scope, path, name }: Wanted): Place {
  const segments = [...secretSegments(scope.organization, path), requireSecretName(name)];
  return { name, folder: join(root, ...segments), place: segments.join("/") };
}

async function current({ folder, name }: Place): Promise<SecretItem | null> {
  const version = (await versionsIn(folder)).at(-1);
  const found = version === undefined ? null : await readVersion(folder, version);
  return found?.sealed ? { name, version: String(version), updatedAt: found.at } : null;
}
