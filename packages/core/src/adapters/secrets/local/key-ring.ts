import { randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { EngineError } from "../../../domain/errors.ts";
import { hasCode, writeOnce, writeWhole } from "../../files.ts";

const KEY_BYTES = 32;

/** The keys of a store, by id. Those besides the current one are there while a rotation is under way. */
interface Ring {
  readonly current: string;
  readonly keys: Readonly<Record<string, string>>;
}

/** A key and its name. */
export interface NamedKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** The key file of the local store. It is read again when a key is asked for that another process made meanwhile. */
export interface KeyRing {
  current(): Promise<NamedKey>;
  /** The same, as the file has it now. */
  latest(): Promise<NamedKey>;
  /** Rejects with `SECRET_STORE_DOWN` for a key that is not there. */
  find(id: string): Promise<NamedKey>;
  /** Makes another key the current one. The old ones stay until {@link KeyRing.drop}. */
  renew(): Promise<NamedKey>;
  /** Forgets all but the current key. */
  drop(): Promise<void>;
}

export function openKeyRing(file: string): KeyRing {
  let known: Ring | null = null;
  const load = async () => (known = await readRing(file));
  const keyOf = ({ keys }: Ring, id: string): NamedKey | null =>
    keys[id] === undefined ? null : { id, bytes: Buffer.from(keys[id], "base64") };
  return {
    async current() {
      const ring = known ?? (await load());
      return keyOf(ring, ring.current)!;
    },
    async latest() {
      const ring = await load();
      return keyOf(ring, ring.current)!;
    },
    async find(id) {
      const key = keyOf(known ?? (await load()), id) ?? keyOf(await load(), id);
      if (key) return key;
      throw broken(file, `it does not have the key ${id}`, "Bring back the key file that belongs to this data folder.");
    },
    async renew() {
      const ring = await load();
      const id = newKeyId();
      known = { current: id, keys: { ...ring.keys, [id]: newKey() } };
      await writeRing(file, known);
      return keyOf(known, id)!;
    },
    async drop() {
      const { current, keys } = await load();
      known = { current, keys: { [current]: keys[current]! } };
      await writeRing(file, known);
    },
  };
}

async function readRing(file: string): Promise<Ring> {
  await requireClosed(file);
  const id = newKeyId();
  const text = await writeOnce(file, textOf({ current: id, keys: { [id]: newKey() } }), 0o600);
  const ring = parse(text);
  if (ring === null) throw broken(file, "it is not a key file", "Bring back the key file from where you keep a copy of it.");
  return ring;
}

/** A key that others can read is no key. */
async function requireClosed(file: string): Promise<void> {
  const mode = await stat(file).then(
    (found) => found.mode,
    (error: unknown) => {
      if (hasCode(error, "ENOENT")) return 0;
      throw broken(file, "it cannot be read", `See that the user who runs HelixStack may read ${file}.`);
    },
  );
  if ((mode & 0o077) !== 0)
    throw broken(file, "others than its owner may read it", `Run \`chmod 600 ${file}\`, then \`helix secrets rotate --key\`.`);
}

function parse(text: string): Ring | null {
  try {
    const { current, keys } = JSON.parse(text) as Ring;
    const isWhole = Object.values(keys).every((key) => Buffer.from(key, "base64").length === KEY_BYTES);
    return isWhole && keys[current] !== undefined ? { current, keys } : null;
  } catch {
    return null;
  }
}

function writeRing(file: string, ring: Ring): Promise<void> {
  return writeWhole(file, textOf(ring), 0o600);
}

function textOf(ring: Ring): string {
  return `${JSON.stringify(ring)}\n`;
}

function newKey(): string {
  return randomBytes(KEY_BYTES).toString("base64");
}

function newKeyId(): string {
  return `k${randomBytes(4).toString("hex")}`;
}

function broken(file: string, why: string, hint: string): EngineError {
  return new EngineError("SECRET_STORE_DOWN", `the local secret store cannot use its key file ${file}: ${why}`, { hint, retryable: false });
}
