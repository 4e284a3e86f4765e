export { currentSecret } from "./current.ts";
export { openLocalSecretStore } from "./local/local-store.ts";
