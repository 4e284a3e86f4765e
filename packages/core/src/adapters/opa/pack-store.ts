import { createPublicKey } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { EngineError } from "../../domain/errors.ts";
import type { Maturity } from "../../domain/manifest.ts";
import { hasCode, writeWhole } from "../files.ts";
import { unavailable } from "./faults.ts";
import { type Pack, openPack } from "./pack.ts";
import { readBundle } from "./read-bundle.ts";
import { SHIPPED_KEY } from "./shipped-key.ts";
import { type TrustedKey, verifyBundle } from "./verify-bundle.ts";

export interface PackStoreOptions {
  /** The bundles that ship: one a maturity. */
  readonly shipped: string;
  /** The operator's own bundles; what is put there is in force at the next decision. */
  readonly installed: string;
  /** Where the last good edition of each is kept. */
  readonly kept: string;
  /** Public keys (`*.pem`) that installed bundles may be signed with. */
  readonly keys: string;
  /** Told when a bundle is not taken, once for each. */
  readonly onProblem?: (problem: PackProblem) => void;
}

/** A bundle that is not in force, and why. */
export interface PackProblem {
  readonly file: string;
  readonly error: EngineError;
  /** Whether the last good edition decides in its place. */
  readonly isKept: boolean;
}

/** The packs that decide. */
export interface PackStore {
  /** Those of one maturity: the shipped one, then the operator's. Rejects with `POLICY_UNAVAILABLE` unless every one of them, or its last good edition, is there. */
  packs(maturity: Maturity): Promise<readonly Pack[]>;
  problems(): readonly PackProblem[];
}

/** What is known of one file. */
interface Slot {
  /** Size and times of what was looked at last. */
  seen: string;
  /** The folder of keys that it was verified with. */
  keys: string;
  good: Pack | null;
  error: EngineError | null;
}

/** Reads bundles when they change. One that fails verification changes nothing: the last good edition stays in force, also after a restart. */
export function openPackStore({ shipped, installed, kept, keys, onProblem = () => {} }: PackStoreOptions): PackStore {
  const slots = new Map<string, Slot>();
  const slotOf = (file: string): Slot => {
    const slot = slots.get(file) ?? { seen: "", keys: "", good: null, error: null };
    slots.set(file, slot);
    return slot;
  };

  const shippedPack = async (file: string): Promise<Pack> => {
    const slot = slotOf(file);
    const now = look(file);
    if (now === slot.seen && slot.good) return slot.good;
    return taken(slot, { file, seen: now, read: () => readPack(file, [shippedKey()]) });
  };

  const installedPack = async (name: string): Promise<Pack> => {
    const [file, last] = [join(installed, name), join(kept, name)];
    const slot = slotOf(file);
    const keysNow = look(keys);
    const now = `${look(file)} ${keysNow}`;
    if (now === slot.seen && slot.good) return slot.good;
    const trusted = await trustedKeys(keys);
    // A key that is not trusted any more has never signed anything.
    if (slot.keys !== keysNow) slot.good = await readPack(last, trusted).catch(() => null);
    slot.keys = keysNow;
    const read = async () => {
      const pack = await readPack(file, trusted);
      if (slot.good && pack.serial < slot.good.serial) throw older(pack, slot.good);
      if (pack.digest !== slot.good?.digest) await keep(last, file);
      return pack;
    };
    return taken(slot, { file, seen: now, read });
  };

  const taken = async (slot: Slot, { file, seen, read }: { file: string; seen: string; read: () => Promise<Pack> }): Promise<Pack> => {
    try {
      slot.good = await read();
      slot.error = null;
    } catch (thrown) {
      const error = asUnavailable(thrown, file);
      if (slot.seen !== seen) onProblem({ file, error, isKept: slot.good !== null });
      slot.error = error;
    }
    slot.seen = seen;
    if (slot.good) return slot.good;
    throw slot.error!;
  };

  return {
    async packs(maturity) {
      const names = new Set([...bundlesIn(installed), ...bundlesIn(kept)]);
      const own = [...names].toSorted().map(installedPack);
      return Promise.all([shippedPack(join(shipped, `${maturity}.tar.gz`)), ...own]);
    },
    problems: () => [...slots].flatMap(([file, { error, good }]) => (error ? [{ file, error, isKept: good !== null }] : [])),
  };
}

async function readPack(file: string, keys: readonly TrustedKey[]): Promise<Pack> {
  const bundle = await readBundle(await readFile(file));
  const { key, expiresAt } = verifyBundle(bundle, keys);
  return openPack(bundle, { file: basename(file), signedBy: key, endsAt: expiresAt });
}

function shippedKey(): TrustedKey {
  return { id: "HelixStack", publicKey: createPublicKey(SHIPPED_KEY.pem) };
}

async function trustedKeys(folder: string): Promise<readonly TrustedKey[]> {
  const files = names(folder)
    .filter((name) => name.endsWith(".pem"))
    .toSorted();
  const keys = files.map(async (name) => ({
    id: name.replace(/\.pem$/, ""),
    publicKey: createPublicKey(await readFile(join(folder, name))),
  }));
  return Promise.all(keys);
}

async function keep(last: string, file: string): Promise<void> {
  await mkdir(join(last, ".."), { recursive: true, mode: 0o700 });
  await writeWhole(last, await readFile(file));
}

function bundlesIn(folder: string): readonly string[] {
  return names(folder).filter((name) => name.endsWith(".tar.gz"));
}

// Each decision looks: a few microseconds here, where a trip through the thread pool and back costs more than the decision itself.

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

/** Tells whether a file is another than before, without reading it. */
function look(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found ? [found.size, found.mtimeMs, found.ctimeMs, found.ino].join(" ") : "gone";
}

function older(pack: Pack, good: Pack): EngineError {
  return unavailable("bundle-older", `the bundle ${pack.name} has the serial ${pack.serial}, and ${good.serial} was in force already`, {
    hint: "Build it again: each build has a higher serial.",
  });
}

function asUnavailable(thrown: unknown, file: string): EngineError {
  if (thrown instanceof EngineError && thrown.code === "POLICY_UNAVAILABLE") return thrown;
  if (hasCode(thrown, "ENOENT"))
    return unavailable("bundle-missing", `the bundle ${file} is not there`, {
      hint: "Put it back, or install HelixStack again.",
      cause: thrown,
    });
  return unavailable("bundle-corrupt", `the bundle ${file} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
    cause: thrown,
  });
}
