import { createHash, randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * A new id: prefix, then 10 characters of time and 10 of chance, lower case, so that ids sort by age and fit into host labels and
 * container names. `now` in milliseconds.
 *
 * @example newId("dep", Date.now()) // "dep_01jd4x8q3mk7c2v9w5ht"
 */
export function newId(prefix: IdPrefix, now: number): string {
  let time = "";
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32]! + time;
  const chance = Array.from(randomBytes(10), (byte) => ALPHABET[byte % 32]).join("");
  return `${prefix}_${time}${chance}`;
}

/**
 * The id of what there is one of by its names, so that whoever makes it makes the same. It tells no time: where that would stand is a letter that no time
 * has.
 */
export function idOfNames(prefix: IdPrefix, names: readonly string[]): string {
  const digest = createHash("sha256").update(JSON.stringify(names)).digest();
  return `${prefix}_u${Array.from(digest.subarray(0, 19), (byte) => ALPHABET[byte % 32]).join("")}`;
}

/** When an id was made, milliseconds since 1970; null for what is no id of ours. */
export function timeOfId(id: string): number | null {
  const time = /^[a-z]+_([0-9a-hjkmnp-tv-z]{10})/.exec(id)?.[1];
  return time === undefined ? null : Array.from(time).reduce((sum, letter) => sum * 32 + ALPHABET.indexOf(letter), 0);
}

/** What ids begin with, one prefix a kind of thing. */
export type IdPrefix =
  | "ins"
  | "org"
  | "prj"
  | "env"
  | "unit"
  | "rev"
  | "dep"
  | "rel"
  | "run"
  | "wrk"
  | "tok"
  | "prn"
  | "vol"
  | "dec"
  | "wvr"
  | "op";
