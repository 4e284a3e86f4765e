/**
 * The resolved manifest of one environment: `helix.yaml` with the environment's overrides merged and every default filled in. Plain
 * JSON; this is what is stored with a deployment and hashed for "did anything change".
 */
export interface Manifest {
  readonly project: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly guardrails: { readonly maturity: Maturity };
  readonly rollback: {
    /** How many former releases stay warm. */
    readonly keep: number;
    /** How long a former release stays warm, milliseconds. */
    readonly forMs: number;
  };
}

export const MATURITIES = ["poc", "mvp", "staging", "production"] as const;
export type Maturity = (typeof MATURITIES)[number];

/** One long-running service. */
export interface Service {
  /** Folder relative to the manifest, `/` separated, `.` for the manifest's own. */
  readonly source: string;
  /** Name of the build plugin. */
  readonly build: string;
  /** Name of the runtime plugin. */
  readonly runtime: string;
  /** Name of the delivery plugin. */
  readonly delivery: string;
  /** The start command as the user wrote it; null leaves it to the artifact. */
  readonly start: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly SecretUse[];
  readonly health: { readonly path: string | null; readonly timeoutMs: number };
  /** Services whose address is given as `HELIX_SERVICE_<NAME>_URL`. */
  readonly needs: readonly string[];
  readonly volumes: Readonly<Record<string, VolumeUse>>;
  readonly filesystem: "writable" | "read-only";
  /** Commands that run once a deployment, before the switch, in this order. */
  readonly tasks: Readonly<Record<string, string>>;
  readonly replicas: number;
  readonly resources: { readonly memoryBytes: number | null; readonly cpu: number | null };
  readonly labels: Readonly<Record<string, string>>;
  readonly drainMs: number;
  /** Sections named after plugins (`static: { dir: dist }`), checked against each plugin's own schema. */
  readonly options: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface SecretUse {
  readonly name: string;
  readonly as: "env" | "file" | "build";
}

export interface VolumeUse {
  /** Mount path, absolute, for runtimes that mount. */
  readonly path: string;
  readonly writers: "single" | "many";
}
