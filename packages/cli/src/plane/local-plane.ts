import { EngineError } from "@helixstack/core/client";
import { importModule } from "../import-module.ts";

/** What `@helixstack/core/local-plane` offers. It is loaded only where a plane is started or stopped: it brings the server's modules along. */
interface LocalPlane {
  /** Starts what is not running, at most up to the level; safe to call at any time, by several at once. */
  readonly startLocalPlane: (options: StartOptions) => Promise<{ readonly url: string; readonly token: string }>;
  readonly planeStatus: (home: string) => Promise<{ readonly running: boolean; readonly processes: readonly PlaneProcess[] }>;
  /** Resolves to what was stopped. */
  readonly stopLocalPlane: (options: {
    readonly home: string;
    readonly controlOnly: boolean;
  }) => Promise<{ readonly stopped: readonly PlaneProcess[] }>;
  readonly backupPlane: (options: BackupOptions) => Promise<BackupInfo>;
  /** Stops the control plane and does not start it again. */
  readonly restorePlane: (options: BackupOptions) => Promise<BackupInfo>;
}

export interface BackupOptions {
  readonly home: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a backup says of itself. */
export interface BackupInfo {
  readonly takenAt: string;
  readonly installation: string;
  readonly epoch: number;
  readonly included: readonly string[];
  readonly volumes: readonly string[];
  readonly rows: Readonly<Record<string, number>>;
}

interface StartOptions {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `control`: enough to answer. `full`: also routers and what was live. */
  readonly level: PlaneLevel;
  readonly onProgress: (note: string) => void;
}

interface StopOptions {
  readonly home: string;
  readonly controlOnly: boolean;
}

export type PlaneLevel = "control" | "full";

/** Starts the local plane. Rejects with `PLANE_FAILED`. */
export async function startPlane(options: StartOptions): Promise<void> {
  const { startLocalPlane } = await loadLocalPlane();
  await startLocalPlane(options).catch(planeFailed);
}

/** Stops what runs in a home, or only the control plane and its workers. Resolves to what was stopped. */
export async function stopPlane(options: StopOptions): Promise<readonly PlaneProcess[]> {
  const { stopLocalPlane } = await loadLocalPlane();
  return (await stopLocalPlane(options).catch(planeFailed)).stopped;
}

/** What the supervisor of a home still runs. */
export async function runningProcesses(home: string): Promise<readonly PlaneProcess[]> {
  const { planeStatus } = await loadLocalPlane();
  return (await planeStatus(home).catch(planeFailed)).processes;
}

/** Saves what a home's plane knows. */
export async function backupPlane(options: BackupOptions): Promise<BackupInfo> {
  return (await loadLocalPlane()).backupPlane(options).catch(planeFailed);
}

/** Puts a backup in the place of what a home's plane knows. The control plane is stopped afterwards. */
export async function restorePlane(options: BackupOptions): Promise<BackupInfo> {
  return (await loadLocalPlane()).restorePlane(options).catch(planeFailed);
}

async function loadLocalPlane(): Promise<LocalPlane> {
  return (await importModule("@helixstack/core/local-plane")) as LocalPlane;
}

/** The supervisor's own errors are about this machine, not about helix. */
function planeFailed(error: unknown): never {
  if (error instanceof Error && error.name === "SupervisorError") throw new EngineError("PLANE_FAILED", error.message, { cause: error });
  throw error;
}

/** A process of the plane; one that plays two roles is listed twice. */
export interface PlaneProcess {
  readonly role: string;
  readonly pid: number;
}
