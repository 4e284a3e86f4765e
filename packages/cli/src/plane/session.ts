import { EngineError } from "@helixstack/core/client";
import { SupervisorClient } from "@helixstack/supervisor";
import type { Cli } from "../cli.ts";
import { type Api, createApi } from "../client/api.ts";
import { type Http, createHttp } from "../client/http.ts";
import { type PlaneLevel, startPlane } from "./local-plane.ts";
import { findConnection, helixHome, isRemote } from "./home.ts";

/** A control plane that answers. */
export interface Session {
  readonly http: Http;
  readonly api: Api;
}

/** A control plane that answers, and what was live with it perhaps not yet. */
export interface WakingSession {
  readonly session: Session;
  readonly awake: Promise<void>;
}

export interface SessionOptions {
  /** What is started where nothing runs. `none`: reject with `PLANE_DOWN`. */
  readonly start: PlaneLevel | "none";
  /** Milliseconds to go on through a restart of the control plane. Default 5 s; commands that wait for a deployment take a minute. */
  readonly patienceMs?: number;
  /** Looked at before anything is started: what it rejects with ends the command. */
  readonly beforeStart?: () => Promise<void>;
  /** Told what is being started. */
  readonly onProgress?: (note: string) => void;
  /** Told once each time that the control plane has to be waited for. */
  readonly onWaiting?: (note: string) => void;
}

/** A killed control plane is back within two seconds, on a busy machine a little later; nobody needs to know. */
const RESTART_MS = 10_000;
const SHORT_PATIENCE_MS = 5000;
export const LONG_PATIENCE_MS = 60_000;
const PROBE_MS = 2000;

/** Finds the control plane, or starts it. Rejects with `PLANE_DOWN` or `PLANE_FAILED`. */
export async function openSession(cli: Cli, options: SessionOptions): Promise<Session> {
  const { session, awake } = await openWakingSession(cli, options);
  await awake;
  return session;
}

/** The same, for who has something to say to the control plane before all is awake. */
export async function openWakingSession(
  cli: Cli,
  { start, patienceMs = SHORT_PATIENCE_MS, beforeStart, onProgress = () => {}, onWaiting = onProgress }: SessionOptions,
): Promise<WakingSession> {
  const connection = () => findConnection(cli.env);
  const answers = isRemote(cli.env) || (await isAnswering(cli)) || (start === "none" && (await comesBack(cli)));
  if (!answers) {
    if (start === "none") throw new EngineError("PLANE_DOWN", `No local plane is running in ${helixHome(cli.env)}.`);
    await beforeStart?.();
    await startPlane({ home: helixHome(cli.env), env: cli.env, level: start, onProgress });
  }
  const revive = start === "none" || isRemote(cli.env) ? null : () => reviveControl(cli, { level: start, onProgress });
  const http = createHttp({
    connection,
    patienceMs,
    onWaiting: () => onWaiting("waiting for the control plane"),
    ...(revive && { revive }),
  });
  const awake = answers && start === "full" ? wakeServices(http) : Promise.resolve();
  // Reported to whoever awaits it.
  awake.catch(() => {});
  return { session: { http, api: createApi(http) }, awake };
}

/** What was live is started where it is down. The plane is no matter of a token that is for one project. */
async function wakeServices(http: Session["http"]): Promise<void> {
  await http.request("POST", "/v1/plane/up", { body: {}, repeatable: true }).catch(unlessForbidden);
}

/** Passes over what a token of one project may not ask. */
export function unlessForbidden(error: unknown): void {
  if (!(error instanceof EngineError) || error.code !== "SCOPE_FORBIDDEN") throw error;
}

/** Whether a control plane answers just now, or within the patience. */
export async function isAnswering({ env }: Cli, { patienceMs = 0 } = {}): Promise<boolean> {
  if (findConnection(env) === null) return false;
  const probe = createHttp({ connection: () => findConnection(env), patienceMs });
  try {
    await probe.request("GET", "/health/live", { signal: AbortSignal.timeout(PROBE_MS + patienceMs) });
    return true;
  } catch (error) {
    // Any answer is an answer.
    return error instanceof EngineError && error.code !== "PLANE_DOWN";
  }
}

/** Starts the plane again where somebody stopped it while this command was waiting for it. One that was killed comes back by itself. */
async function reviveControl(cli: Cli, { level, onProgress }: { level: PlaneLevel; onProgress: (note: string) => void }): Promise<void> {
  const home = helixHome(cli.env);
  const supervisor = await SupervisorClient.connect(home).catch(() => null);
  const control = await supervisor?.status("control").catch(() => null);
  supervisor?.close();
  if (control?.desired !== "running") await startPlane({ home, env: cli.env, level, onProgress });
}

/** A control plane that was killed comes back where a supervisor is at work and wants it to run. */
async function comesBack(cli: Cli): Promise<boolean> {
  const supervisor = await SupervisorClient.connect(helixHome(cli.env)).catch(() => null);
  if (supervisor === null) return false;
  try {
    const control = await supervisor.status("control");
    return control?.desired === "running" && (await isAnswering(cli, { patienceMs: RESTART_MS }));
  } catch {
    return false;
  } finally {
    supervisor.close();
  }
}
