export * from "./home.ts";
export type { PlacedProblem } from "./problems.ts";
export { type ReadManifestInput, readManifest, servicesToDetect } from "./read-manifest.ts";
export { manifestJsonSchema } from "./json-schema.ts";
export * from "./settings.ts";
export { type ManifestReader, createManifestReader } from "./manifest-reader.ts";
export { type SourceMap, sourceMapOf } from "./source-map.ts";
