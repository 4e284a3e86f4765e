import { Secret } from "@helixstack/sdk";
import { requireSecretName, secretSegments, type SecretPath } from "../../../domain/secret-names.ts";
import { vaultPath } from "../../../domain/vault-policy.ts";
import type { Scope } from "../../../ports/scope.ts";
import type { SecretItem, SecretStore, SetSecret } from "../../../ports/secret-store.ts";
import { changed, checkValue, goneVersion, missing } from "../refusals.ts";
import { answerOf } from "./failures.ts";
import { type VaultSession, type VaultSessionOptions, openVaultSession } from "./session.ts";

export interface VaultStoreOptions extends VaultSessionOptions {
  /** Where KV v2 is mounted. */
  readonly mount: string;
  /** The folder below it. */
  readonly prefix: string;
}

/** Versions that Vault keeps of a secret: a release may pin any of them. */
const MAX_VERSIONS = 1_000;

/** Secrets in Vault's KV v2 engine (OpenBao has the same API), one Vault secret a name, the value under the key `value`. */
export function openVaultSecretStore({ mount, prefix, ...options }: VaultStoreOptions): SecretStore {
  const session = openVaultSession(options);
  const store: Store = { session, mount, prefix };
  return {
    kind: "vault",
    check: () => session.call("look at its own token", async (client) => void (await client.tokenLookupSelf())),
    pin: (scope, input) => pin(store, scope, input),
    read: (scope, { path, ref }) => read(store, placeOf(store, { scope, path, name: ref.name }), { path, version: ref.version }),
    list: (scope, path) => list(store, scope, path),
    set: (scope, input) => set(store, scope, input),
    remove: (scope, { path, name }) => remove(store, placeOf(store, { scope, path, name })),
    close: async () => session.close(),
  };
}

interface Store {
  readonly session: VaultSession;
  readonly mount: string;
  readonly prefix: string;
}

async function pin(store: Store, scope: Scope, { path, names }: { readonly path: SecretPath; readonly names: readonly string[] }) {
  const items = await Promise.all(names.map(async (name) => (await metadata(store, placeOf(store, { scope, path, name })))?.item ?? null));
  const lost = names.filter((_, i) => items[i] === null);
  if (lost.length > 0) throw missing(path, lost);
  return items.map((item) => ({ name: item!.name, version: item!.version }));
}

async function read(
  { session }: Store,
  { data, name }: Place,
  { path, version }: { readonly path: SecretPath; readonly version: string },
): Promise<Secret> {
  if (!/^[1-9][0-9]{0,8}$/.test(version)) throw goneVersion(path, { name, version });
  const answer = await session.call(`read ${name}`, (client) => orNull(client.read(`${data}?version=${version}`)));
  const value = (answer as { data?: { data?: { value?: unknown } | null } } | null)?.data?.data?.value;
  if (typeof value !== "string") throw goneVersion(path, { name, version });
  return new Secret(value);
}

async function list(store: Store, scope: Scope, path: SecretPath): Promise<readonly SecretItem[]> {
  const folder = vaultPath(store.prefix, secretSegments(scope.organization, path));
  const answer = await store.session.call("list names", (client) => orNull(client.list(`${store.mount}/metadata/${folder}`)));
  const keys = (answer as { data?: { keys?: readonly string[] } } | null)?.data?.keys ?? [];
  // A key with a slash is a folder that somebody else made.
  const names = keys.filter((key) => /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(key)).toSorted();
  const all = await Promise.all(names.map((name) => metadata(store, placeOf(store, { scope, path, name }))));
  return all.flatMap((one) => one?.item ?? []);
}

async function set(store: Store, scope: Scope, { path, name, value, expect }: SetSecret): Promise<SecretItem> {
  checkValue(name, value);
  const place = placeOf(store, { scope, path, name });
  for (;;) {
    const now = await metadata(store, place);
    const found = now?.item?.version ?? null;
    if (expect !== undefined && found !== expect) throw changed(name, { expect, found });
    const written = await store.session.call(`set ${name}`, async (client) => {
      if (now === null) await client.write(place.metadata, { max_versions: MAX_VERSIONS, cas_required: true });
      return orConflict(client.write(place.data, { options: { cas: now?.last ?? 0 }, data: { value: value.reveal() } }));
    });
    if (written) return { name, version: String(written.data.version), updatedAt: new Date(written.data.created_time).toISOString() };
    // Somebody else was first; the next round says what that means.
  }
}

async function remove({ session, ...store }: Store, place: Place): Promise<boolean> {
  const now = await metadata({ session, ...store }, place);
  if (!now?.item) return false;
  await session.call(`destroy ${place.name}`, (client) => client.write(place.destroy, { versions: now.versions }));
  return true;
}

/** What Vault says of a secret without its values; null when it never had one. */
async function metadata({ session }: Store, { metadata: path, name }: Place): Promise<Metadata | null> {
  const answer = (await session.call(`look at ${name}`, (client) => orNull(client.read(path)))) as { data: MetadataAnswer } | null;
  if (!answer) return null;
  const { current_version: last, versions } = answer.data;
  const current = versions?.[last];
  const isThere = current !== undefined && !current.destroyed && current.deletion_time === "";
  const item = isThere ? { name, version: String(last), updatedAt: new Date(current.created_time).toISOString() } : null;
  return { item, last, versions: Object.keys(versions ?? {}).map(Number) };
}

interface Metadata {
  /** Null: removed. */
  readonly item: SecretItem | null;
  readonly last: number;
  readonly versions: readonly number[];
}

interface MetadataAnswer {
  readonly current_version: number;
  readonly versions: Readonly<
    Record<number, { readonly created_time: string; readonly deletion_time: string; readonly destroyed: boolean }>
  > | null;
}

interface Place {
  readonly name: string;
  readonly data: string;
  readonly metadata: string;
  readonly destroy: string;
}

function placeOf(
  { mount, prefix }: Pick<Store, "mount" | "prefix">,
  { scope, path, name }: { scope: Scope; path: SecretPath; name: string },
): Place {
  const below = vaultPath(prefix, [...secretSegments(scope.organization, path), requireSecretName(name)]);
  return { name, data: `${mount}/data/${below}`, metadata: `${mount}/metadata/${below}`, destroy: `${mount}/destroy/${below}` };
}

/** Vault answers 404 without an error for what is not there, and with one where it has no such engine. */
async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (thrown) {
    const { status, message } = answerOf(thrown);
    if (status === 404 && message === "Status 404") return null;
    throw thrown;
  }
}

type Written = { readonly data: { readonly version: number; readonly created_time: string } };

async function orConflict(asked: Promise<unknown>): Promise<Written | null> {
  try {
    return (await asked) as Written;
  } catch (thrown) {
    const { status, message } = answerOf(thrown);
    if (status === 400 && /check-and-set/.test(message)) return null;
    throw thrown;
  }
}
