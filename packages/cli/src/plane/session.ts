import { EngineError } from "@helixstack/core/client";
import type { Cli } from "../cli.ts";
import { type Api, createApi } from "../client/api.ts";
import { type Http, createHttp } from "../client/http.ts";
import { type PlaneLevel, loadLocalPlane } from "./local-plane.ts";
import { findConnection, helixHome, isRemote } from "./home.ts";

/** A control plane that answers. */
export interface Session {
  readonly http: Http;
  readonly api: Api;
}

export interface SessionOptions {
  /** What is started where nothing runs. `none`: reject with `PLANE_DOWN`. */
  readonly start: PlaneLevel | "none";
  /** Milliseconds to go on through a restart of the control plane. Default 5 s; commands that wait for a deployment take a minute. */
  readonly patienceMs?: number;
  readonly onProgress?: (note: string) => void;
}

/** A killed control plane is back within two seconds; nobody needs to know. */
const RESTART_MS = 3000;
const SHORT_PATIENCE_MS = 5000;
export const LONG_PATIENCE_MS = 60_000;
const PROBE_MS = 2000;

/** Finds the control plane, or starts it. Rejects with `PLANE_DOWN` or `PLANE_FAILED`. */
export async function openSession(
  cli: Cli,
  { start, patienceMs = SHORT_PATIENCE_MS, onProgress = () => {} }: SessionOptions,
): Promise<Session> {
  const connection = () => findConnection(cli.env);
  const answers = await isAnswering(cli, { patienceMs: start === "none" ? RESTART_MS : 0 });
  if (!answers && !isRemote(cli.env)) {
    if (start === "none") throw new EngineError("PLANE_DOWN", `No local plane is running in ${helixHome(cli.env)}.`);
    await startPlane(cli, { level: start, onProgress });
  }
  const http = createHttp({ connection, patienceMs, onWaiting: (reason) => onProgress(`waiting for the control plane: ${reason}`) });
  if (answers && start === "full") await http.request("POST", "/v1/plane/up", { body: {}, repeatable: true });
  return { http, api: createApi(http) };
}

/** Whether a control plane answers. Where one left its address, its restart is waited for as long as the patience says. */
export async function isAnswering({ env }: Cli, { patienceMs }: { readonly patienceMs: number }): Promise<boolean> {
  if (findConnection(env) === null) return false;
  const probe = createHttp({ connection: () => findConnection(env), patienceMs });
  try {
    await probe.request("GET", "/live", { signal: AbortSignal.timeout(PROBE_MS + patienceMs) });
    return true;
  } catch (error) {
    // Any answer is an answer.
    return error instanceof EngineError && error.code !== "PLANE_DOWN";
  }
}

async function startPlane(cli: Cli, { level, onProgress }: { level: PlaneLevel; onProgress: (note: string) => void }): Promise<void> {
  const { startLocalPlane } = await loadLocalPlane();
  await startLocalPlane({ home: helixHome(cli.env), env: cli.env, level, onProgress });
}
