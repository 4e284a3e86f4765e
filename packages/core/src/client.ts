/** What a client of the API needs of the engine: the error table, ids and the shapes of records. Nothing here loads a server. */
export * from "./domain/errors.ts";
export * from "./domain/ids.ts";
export * from "./domain/manifest.ts";
export * from "./domain/plan.ts";
export { isReservedName, isSecretName } from "./domain/secret-names.ts";
export * from "./domain/states.ts";
export { vaultPolicy } from "./domain/vault-policy.ts";
export type * from "./api/documents.ts";
export type { WaiverRecord } from "./ports/records.ts";
export type { BundleProblem, Finding, PackInfo } from "./ports/policy-engine.ts";
export type { SnapshotEntry } from "./ports/stores.ts";
