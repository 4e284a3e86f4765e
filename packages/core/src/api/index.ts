export { type BuildOptions, buildApi } from "./build-api.ts";
export type { ApiDeps, ApiSettings, EngineApi, EnvironmentNames, PlanInput, PlanOutcome, PlaneHooks } from "./deps.ts";
export * from "./documents.ts";
export { openApiDocument } from "./openapi-document.ts";
export { isTokenValue, newTokenValue, tokenHash } from "./tokens/token-value.ts";
export type { Api } from "./types.ts";
