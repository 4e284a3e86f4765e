import type { PlaneProcess } from "./local-plane.ts";
import { existsSync } from "node:fs";
import type { Cli } from "../cli.ts";
import { findConnection, helixHome, isRemote } from "./home.ts";
import { runningProcesses } from "./local-plane.ts";
import { type Session, unlessForbidden } from "./session.ts";

/** What is known of the control plane and the processes around it. */
export interface PlaneReport {
  readonly plane: { readonly running: boolean; readonly url: string | null; readonly home: string | null };
  readonly processes: readonly PlaneProcess[];
  /** What to do when it is down. */
  readonly hint: string;
}

/** Asks the control plane; where it is down, the supervisor, which may run without it. */
export async function planeReport(cli: Cli, session: Session | null): Promise<PlaneReport> {
  const home = isRemote(cli.env) ? null : helixHome(cli.env);
  const hint = "`helix server` or `helix deploy` starts it.";
  if (!session) return { plane: { running: false, url: null, home }, processes: await leftRunning(home), hint };
  const answer = await session.http.request<{ processes: readonly PlaneProcess[] }>("GET", "/v1/plane").catch(unlessForbidden);
  return { plane: { running: true, url: findConnection(cli.env)?.url ?? null, home }, processes: answer?.processes ?? [], hint };
}

async function leftRunning(home: string | null): Promise<readonly PlaneProcess[]> {
  if (home === null || !existsSync(`${home}/data`)) return [];
  return runningProcesses(home);
}
