export { currentSecret } from "./current.ts";
export { openLocalSecretStore } from "./local/local-store.ts";
export { type VaultPlace, readCredentialFile } from "./vault/credential.ts";
