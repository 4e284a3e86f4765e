export { type BuildOptions, buildApi } from "./build-api.ts";
export type { ApiDeps, ApiSettings, EngineApi, PlaneHooks } from "./deps.ts";
export type * from "./documents.ts";
export { openApiDocument } from "./openapi-document.ts";
export { isTokenValue, newTokenValue, tokenHash } from "./tokens/token-value.ts";
export type { Api } from "./types.ts";
