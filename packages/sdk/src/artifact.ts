/** A content digest: `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

/** The kinds of artifact. Closed and versioned: a new kind is a new version of the contract's list, by RFC. */
export const ARTIFACT_KINDS = ["node-bundle", "static-site", "oci-image", "worker-bundle"] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

/** What a builder says of each kind. Plain JSON, at most 64 KiB. */
export interface ArtifactMetadata {
  /** A folder with a Node application, its production dependencies and its start command. */
  readonly "node-bundle": {
    /** The command as an argument list, run in the bundle's folder with `node_modules/.bin` first on PATH. */
    readonly start: readonly string[];
    /** Environment that the start command itself sets (`NODE_ENV=production node .`). */
    readonly env: Readonly<Record<string, string>>;
    /** The Node range that the application asks for in `engines`, or null. */
    readonly node: string | null;
  };
  /** A folder of files to be served as they are. */
  readonly "static-site": {
    /** The file that answers for a path without extension that is not there, relative to the folder; null for 404. */
    readonly fallback: string | null;
  };
  /** A container image, in the image store of the engine that built it. */
  readonly "oci-image": {
    /** User that the image runs as; empty means root. */
    readonly user: string;
    /** Bytes of all layers. */
    readonly sizeBytes: number;
    /** Base image references, as the Dockerfile names them. */
    readonly base: readonly string[];
  };
  /** One JavaScript module for a Workers-like runtime. */
  readonly "worker-bundle": { readonly main: string; readonly compatibilityDate: string };
}

/** What a build makes and a runtime takes. Immutable: the digest is of its content. */
export type Artifact = { [K in ArtifactKind]: ArtifactOf<K> }[ArtifactKind];

/** An {@link Artifact} of one kind. */
export interface ArtifactOf<K extends ArtifactKind> {
  readonly kind: K;
  readonly digest: Digest;
  /**
   * Where the content is: `file:///...` for a folder the worker can read (never write), or a reference
   * that the builder's own engine understands (`docker-image:sha256:...`).
   */
  readonly uri: string;
  readonly metadata: ArtifactMetadata[K];
}
