import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

const PREFIX = "hlx_";
const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
const RANDOM_LENGTH = 32;
const CHECK_LENGTH = 7;

/**
 * A new token: prefix, 165 bits of chance, checksum. The prefix lets scanners find one that leaked; the checksum tells a typo from a token that
 * was revoked, without asking the database.
 */
export function newTokenValue(): string {
  const random = Array.from({ length: RANDOM_LENGTH }, randomCharacter).join("");
  return `${PREFIX}${random}${checksum(random)}`;
}

/** Whether a text has the form of a token. Says nothing of whether it is valid. */
export function isTokenValue(text: string): boolean {
  if (!text.startsWith(PREFIX) || text.length !== PREFIX.length + RANDOM_LENGTH + CHECK_LENGTH) return false;
  const random = text.slice(PREFIX.length, -CHECK_LENGTH);
  return text.endsWith(checksum(random));
}

/** What is stored of a token. It has enough chance in it that no slow hash is needed. */
export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Bytes that would make some characters more likely than others are drawn again. */
function randomCharacter(): string {
  for (;;) {
    const byte = randomBytes(1)[0]!;
    if (byte < 252) return ALPHABET[byte % ALPHABET.length]!;
  }
}

function checksum(text: string): string {
  return crc32(text).toString(36).padStart(CHECK_LENGTH, "0");
}
