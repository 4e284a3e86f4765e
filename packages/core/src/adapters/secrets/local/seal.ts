import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { KeyRing } from "./key-ring.ts";

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;

/** A sealed value, as its file has it. */
export interface Sealed {
  readonly key: string;
  readonly iv: string;
  readonly tag: string;
  readonly data: string;
}

/** Seals with the current key. `place` is authenticated too: what is sealed for one place does not open in another. */
export async function seal(ring: KeyRing, { value, place }: { readonly value: string; readonly place: string }): Promise<Sealed> {
  const { id, bytes } = await ring.current();
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, bytes, iv).setAAD(Buffer.from(place));
  const data = Buffer.concat([cipher.update(value, "utf8"), cipher.final()]);
  return { key: id, iv: iv.toString("base64"), tag: cipher.getAuthTag().toString("base64"), data: data.toString("base64") };
}

/** Opens it. Throws when it was changed, moved, or sealed with a key that is not there. */
export async function unseal(ring: KeyRing, { sealed, place }: { readonly sealed: Sealed; readonly place: string }): Promise<string> {
  const { bytes } = await ring.find(sealed.key);
  const decipher = createDecipheriv(CIPHER, bytes, Buffer.from(sealed.iv, "base64"), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(place)).setAuthTag(Buffer.from(sealed.tag, "base64"));
  return Buffer.concat([decipher.update(Buffer.from(sealed.data, "base64")), decipher.final()]).toString("utf8");
}
