import { readFile, stat } from "node:fs/promises";
import { EngineError } from "../../../domain/errors.ts";
import { writeWhole } from "../../files.ts";

/** How the control plane proves itself to Vault. */
export type VaultCredential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "approle"; readonly roleId: string; readonly secretId: string }
  /** The secret id is in a response wrapping, which opens once. */
  | { readonly kind: "wrapped"; readonly roleId: string; readonly wrappingToken: string };

/** The file that `helix secrets setup-vault --connect` writes. */
interface CredentialFile {
  readonly address?: string;
  readonly namespace?: string;
  readonly mount?: string;
  readonly prefix?: string;
  readonly token?: string;
  readonly roleId?: string;
  readonly secretId?: string;
  readonly wrappedSecretId?: string;
}

/** Where Vault is, as far as the file says. */
export type VaultPlace = Pick<CredentialFile, "address" | "namespace" | "mount" | "prefix">;

/** Null when there is no file. Rejects with `SECRET_STORE_DENIED` for one that others may read or that is none. */
export async function readCredentialFile(path: string): Promise<CredentialFile | null> {
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  if ((found.mode & 0o077) !== 0)
    throw unusable(
      path,
      "others than its owner may read it",
      `Run \`chmod 600 ${path}\`, and replace the credential: it may have been seen.`,
    );
  try {
    return JSON.parse(await readFile(path, "utf8")) as CredentialFile;
  } catch {
    throw unusable(path, "it is not JSON", "Write it anew: `helix secrets setup-vault --connect`.");
  }
}

/** The credential in the file. Rejects with `SECRET_STORE_DENIED` when there is none. */
export async function readCredential(path: string): Promise<VaultCredential> {
  const { token, roleId, secretId, wrappedSecretId } = (await readCredentialFile(path)) ?? {};
  if (token) return { kind: "token", token };
  if (roleId && secretId) return { kind: "approle", roleId, secretId };
  if (roleId && wrappedSecretId) return { kind: "wrapped", roleId, wrappingToken: wrappedSecretId };
  throw unusable(
    path,
    "there is no credential in it",
    "Run `helix secrets setup-vault`; it says how to make one, and `--connect` keeps it.",
  );
}

/** Puts the secret id in the place of its wrapping, which is used up. */
export async function keepSecretId(path: string, secretId: string): Promise<void> {
  const { wrappedSecretId: _, ...rest } = (await readCredentialFile(path)) ?? {};
  await writeWhole(path, `${JSON.stringify({ ...rest, secretId })}\n`, 0o600);
}

function unusable(path: string, why: string, hint: string): EngineError {
  return new EngineError("SECRET_STORE_DENIED", `the credential for Vault in ${path} cannot be used: ${why}`, { hint });
}
