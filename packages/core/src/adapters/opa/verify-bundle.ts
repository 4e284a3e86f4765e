import { type KeyObject, createHash, verify } from "node:crypto";
import { canonicalJson } from "../../domain/digest.ts";
import { unavailable } from "./faults.ts";
import type { Bundle } from "./read-bundle.ts";

/** A key that bundles may be signed with. */
export interface TrustedKey {
  /** How people call it. */
  readonly id: string;
  readonly publicKey: KeyObject;
}

/** The signature's own words: which files, and until when. */
interface Claims {
  readonly files: readonly { readonly name: string; readonly hash: string; readonly algorithm?: string }[];
  readonly exp?: number;
}

/** How each accepted algorithm is checked, and with what kind of key. A shared secret is none: who can check it can forge it. */
const ALGORITHMS: Readonly<Record<string, { readonly key: string; readonly hash: string }>> = {
  ES256: { key: "ec", hash: "sha256" },
  ES384: { key: "ec", hash: "sha384" },
  RS256: { key: "rsa", hash: "sha256" },
  RS512: { key: "rsa", hash: "sha512" },
};

/**
 * Proves that one of the keys signed every file of the bundle, and no other file, as OPA defines it. Returns the key's name and when the signature ends.
 * Throws `POLICY_UNAVAILABLE`: a bundle without a signature is a refusal, whatever else is configured.
 */
export function verifyBundle(bundle: Bundle, keys: readonly TrustedKey[]): { readonly key: string; readonly expiresAt: number | null } {
  const tokens = (bundle.signatures as { signatures?: unknown } | null)?.signatures;
  if (!Array.isArray(tokens) || tokens.length === 0)
    throw unavailable("signature-stripped", "the bundle carries no signature", { hint: SIGN_HINT });
  if (tokens.length > 1) throw unavailable("signature-partial", "the bundle carries more than one signature");
  const { key, claims } = verifyToken(String(tokens[0]), keys);
  checkFiles(bundle, claims);
  return { key, expiresAt: typeof claims.exp === "number" ? claims.exp * 1000 : null };
}

const SIGN_HINT = "Build it with `helix policy build`, which signs it.";

function verifyToken(token: string, keys: readonly TrustedKey[]): { key: string; claims: Claims } {
  const [head = "", payload = "", signature = ""] = token.split(".");
  const header = part<{ alg?: unknown }>(head);
  const algorithm = ALGORITHMS[String(header.alg)];
  if (!algorithm) throw unavailable("wrong-key", `the bundle's signature uses ${String(header.alg)}, which is not accepted`);
  const signed = Buffer.from(`${head}.${payload}`);
  const bytes = Buffer.from(signature, "base64url");
  const fitting = keys.filter(({ publicKey }) => publicKey.asymmetricKeyType === algorithm.key);
  const found = fitting.find(({ publicKey }) => isSigned(signed, { bytes, publicKey, hash: algorithm.hash }));
  if (!found)
    throw unavailable("wrong-key", "the bundle is signed by a key that is not trusted here", {
      hint: "Put the signer's public key into keys/policy of the home, or sign it with a trusted key.",
    });
  const claims = part<Partial<Claims>>(payload);
  if (!Array.isArray(claims.files)) throw unavailable("signature-partial", "the bundle's signature lists no files");
  return { key: found.id, claims: claims as Claims };
}

function isSigned(signed: Buffer, { bytes, publicKey, hash }: { bytes: Buffer; publicKey: KeyObject; hash: string }): boolean {
  try {
    return verify(hash, signed, { key: publicKey, dsaEncoding: "ieee-p1363" }, bytes);
  } catch {
    // A signature that cannot even be read is not one.
    return false;
  }
}

function checkFiles({ files }: Bundle, claims: Claims): void {
  const listed = new Map(claims.files.map((file) => [file.name.replace(/^\/+/, ""), file]));
  const unsigned = [...files.keys()].filter((name) => !listed.has(name));
  const missing = [...listed.keys()].filter((name) => !files.has(name));
  if (unsigned.length > 0) throw unavailable("signature-partial", `the bundle's signature says nothing of ${unsigned.join(", ")}`);
  if (missing.length > 0 || listed.size !== claims.files.length)
    throw unavailable("signature-partial", `the bundle lacks what its signature lists: ${missing.join(", ")}`);
  for (const [name, content] of files) {
    const { hash, algorithm = "SHA-256" } = listed.get(name)!;
    if (HASHES[algorithm] === undefined)
      throw unavailable("wrong-key", `the bundle's signature hashes with ${algorithm}, which is not accepted`);
    if (hashOf(name, { content, algorithm: HASHES[algorithm] }) !== hash)
      throw unavailable("bundle-corrupt", `${name} of the bundle is not what was signed`);
  }
}

const HASHES: Readonly<Record<string, string>> = { "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };

/** Documents are hashed by what they say, everything else by its bytes. */
function hashOf(name: string, { content, algorithm }: { content: Buffer; algorithm: string }): string {
  const isDocument = name === ".manifest" || /(^|\/)data\.json$/.test(name);
  return createHash(algorithm)
    .update(isDocument ? canonicalJson(JSON.parse(content.toString("utf8"))) : content)
    .digest("hex");
}

function part<T>(text: string): T {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as T;
  } catch (cause) {
    throw unavailable("bundle-corrupt", "the bundle's signature cannot be read", { cause });
  }
}
