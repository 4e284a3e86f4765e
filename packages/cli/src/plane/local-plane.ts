/** What `@helixstack/core/local-plane` offers. It is loaded only where a plane is started or stopped: it brings the server's modules along. */
export interface LocalPlane {
  /** Starts what is not running, at most up to the level; safe to call at any time, by several at once. */
  readonly startLocalPlane: (options: StartOptions) => Promise<{ readonly url: string; readonly token: string }>;
  readonly planeStatus: (home: string) => Promise<{ readonly running: boolean; readonly processes: readonly PlaneProcess[] }>;
  /** Resolves to what was stopped. */
  readonly stopLocalPlane: (options: {
    readonly home: string;
    readonly controlOnly: boolean;
  }) => Promise<{ readonly stopped: readonly PlaneProcess[] }>;
}

interface StartOptions {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `control`: enough to answer. `full`: also routers and what was live. */
  readonly level: PlaneLevel;
  readonly onProgress: (note: string) => void;
}

export type PlaneLevel = "control" | "full";

export async function loadLocalPlane(): Promise<LocalPlane> {
  // A name that the compiler does not follow: the command is built without the server.
  const name: string = "@helixstack/core/local-plane";
  return (await import(name)) as LocalPlane;
}

/** A process of the plane; one that plays two roles is listed twice. */
export interface PlaneProcess {
  readonly role: string;
  readonly pid: number;
}
