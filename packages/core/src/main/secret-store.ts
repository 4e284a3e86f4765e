import { join } from "node:path";
import { openLocalSecretStore, readCredentialFile } from "../adapters/secrets/index.ts";
import type { HomeLayout, Settings } from "../config/index.ts";
import type { EngineDeps } from "../engine/deps.ts";
import type { SecretStore } from "../ports/index.ts";

/** Vault where `VAULT_ADDR` or `keys/vault.json` names one, else files of this home. Connects to nothing yet. */
export async function openSecretStore(
  { layout, settings }: { readonly layout: HomeLayout; readonly settings: Settings },
  logger: EngineDeps["logger"],
): Promise<SecretStore> {
  const credentialFile = join(layout.keys, "vault.json");
  // A file that cannot be used is told when a secret is asked for, not by a control plane that does not start.
  const place = (await readCredentialFile(credentialFile).catch(() => null)) ?? {};
  const address = settings.vaultAddress ?? place.address;
  if (address === undefined) return openLocalSecretStore({ root: layout.secrets, keyFile: join(layout.keys, "secrets.key") });
  const { mount = "secret", prefix = "helix" } = place;
  // Its client is the largest part of the plane, and most planes have no Vault.
  const { openVaultSecretStore } = await import("../adapters/secrets/vault/vault-store.ts");
  return openVaultSecretStore({
    address,
    namespace: settings.vaultNamespace ?? place.namespace ?? null,
    mount,
    prefix,
    credentialFile,
    logger,
  });
}
