import type { TSchema } from "typebox";
import type { Artifact, ArtifactKind, ArtifactMetadata } from "./artifact.ts";
import type { PluginContext } from "./context.ts";
import type { SecretRef } from "./secret.ts";

/** Turns source into an artifact. A function: the same input may be built anywhere, any number of times. */
export interface BuildPlane<Config = any, Spec = any> {
  /** The kinds it makes. */
  readonly produces: readonly ArtifactKind[];
  /** Schema of the manifest's section of this builder's name (`static: { dir: dist }`). Unknown keys are refused. */
  readonly spec: TSchema;
  /** Names the tools the result depends on (`node 20.20.2, npm 11`). Part of the key that a build is looked up by. */
  readonly toolchain: (ctx: PluginContext<Config>) => Promise<string>;
  /** Says whether this builder fits the source, and why. Reads only. */
  readonly detect: (ctx: PluginContext<Config>, input: DetectInput) => Promise<Detection>;
  /**
   * Builds. Writes nothing but `output` and its `workdir`; an `oci-image` stays in the builder's engine.
   * Fails with `SOURCE_UNFIT` or `BUILD_FAILED`, the last output lines in `logs`.
   */
  readonly build: (ctx: PluginContext<Config>, input: BuildInput<Spec>) => Promise<BuildResult>;
  /** Whether an artifact that the builder keeps in its own engine is still there. Absent where the engine's store keeps them. */
  readonly has?: (ctx: PluginContext<Config>, input: { readonly artifact: Artifact }) => Promise<boolean>;
  /** Drops what the builder keeps itself (images, caches) but for what is listed. */
  readonly prune?: (ctx: PluginContext<Config>, input: { readonly keep: readonly Artifact[] }) => Promise<{ readonly freedBytes: number }>;
}

export interface DetectInput {
  /** The service's source folder. */
  readonly source: string;
}

/** What a builder makes of a source. */
export interface Detection {
  readonly fits: boolean;
  /** One sentence: what was seen, and where (`package.json has a start script`). */
  readonly why: string;
  /** How sure, 0 to 100; the highest wins. */
  readonly confidence: number;
  /** Manifest keys of the service that the builder suggests, in the manifest's own form (`{ start: "node server.js" }`). */
  readonly service?: Readonly<Record<string, unknown>>;
}

export interface BuildInput<Spec> {
  /** The service's source: a private, writable copy. */
  readonly source: string;
  readonly spec: Readonly<Spec>;
  /** The manifest's `start`, if it has one. */
  readonly start: string | null;
  /** An empty folder for the result. */
  readonly output: string;
  /** `linux/amd64` and the like. */
  readonly platform: string;
  /** Secrets that the build may read, `as: build` in the manifest. They must not reach the output. */
  readonly secrets: readonly SecretRef[];
  /** What `oci-image` builders tag their result with, as container labels. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What was built. The engine moves a folder into its artifact store and digests it; an image is named by its own digest. */
export type BuildResult = {
  readonly [K in ArtifactKind]: {
    readonly kind: K;
    readonly metadata: ArtifactMetadata[K];
    /** `null`: the content is in `output`. Else a reference and digest in the builder's own engine. */
    readonly image: { readonly uri: string; readonly digest: string } | null;
  };
}[ArtifactKind];
