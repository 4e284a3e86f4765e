import type { PlaneProcess } from "../plane/local-plane.ts";
import { EngineError, type IncidentItem, type SweepReport } from "@helixstack/core/client";
import type { Cli } from "../cli.ts";
import { findConnection, helixHome } from "../plane/home.ts";
import { type Session, openSession } from "../plane/session.ts";
import { incidentText } from "../output/incident-text.ts";
import { ago } from "../output/time.ts";
import type { Check } from "./local-checks.ts";

/** What `GET /v1/plane` answers, as far as it is shown. */
interface PlaneAnswer {
  readonly processes: readonly PlaneProcess[];
  readonly database?: { readonly ok?: boolean; readonly kind?: string; readonly error?: string };
  readonly queue?: { readonly ok?: boolean; readonly kind?: string; readonly error?: string };
  readonly incidents?: readonly IncidentItem[];
  readonly now?: string;
}

interface PluginItem {
  readonly name: string;
  readonly version: string;
  readonly planes: readonly string[];
}

const CLOCK_MS = 5000;

/** What the control plane says of itself. Where it is down: one check that says so. */
export async function planeChecks(cli: Cli): Promise<readonly Check[]> {
  const session = await openSession(cli, { start: "none" }).catch((error: unknown) => {
    if (error instanceof EngineError) return error;
    throw error;
  });
  if (session instanceof EngineError) return [downCheck(cli)];
  try {
    return await askedChecks(cli, session);
  } catch (error) {
    if (error instanceof EngineError)
      return [
        {
          name: "plane",
          state: "failed",
          says: error.message,
          fix: FIXES[error.code] ?? "helix server",
        },
      ];
    throw error;
  }
}

const FIXES: Readonly<Record<string, string>> = {
  TOKEN_MISSING: "export HELIX_TOKEN=hlx_...",
  TOKEN_INVALID: "helix token create NAME, where that plane runs",
};

function downCheck(cli: Cli): Check {
  const remote = findConnection(cli.env)?.url;
  return { name: "plane", state: "note", says: `not running (${cli.env["HELIX_URL"] ? remote : helixHome(cli.env)})`, fix: "helix server" };
}

async function askedChecks(cli: Cli, { http }: Session): Promise<readonly Check[]> {
  const before = Date.now();
  const plane = await http.request<PlaneAnswer>("GET", "/v1/plane");
  const [{ items }, sweep] = await Promise.all([
    http.request<{ items: readonly PluginItem[] }>("GET", "/v1/plugins"),
    http.request<SweepReport>("GET", "/v1/sweep"),
  ]);
  const roles = [...new Set(plane.processes.map(({ role }) => role))].join(", ");
  return [
    { name: "plane", state: "ok", says: `${findConnection(cli.env)?.url}${roles && `  (${roles})`}`, fix: null },
    ...part("database", plane.database),
    ...part("queue", plane.queue),
    ...clockCheck(plane.now, before),
    ...items.map(pluginCheck),
    ...incidentChecks(plane.incidents ?? [], before),
    ...sweepChecks(sweep),
  ];
}

function part(name: string, about: PlaneAnswer["database"]): readonly Check[] {
  if (!about) return [];
  const isOk = about.ok !== false;
  return [{ name, state: isOk ? "ok" : "failed", says: about.error ?? about.kind ?? "answers", fix: isOk ? null : "helix server" }];
}

function clockCheck(now: string | undefined, before: number): readonly Check[] {
  if (now === undefined) return [];
  const apart = Math.abs(Date.parse(now) - before);
  const isClose = apart < CLOCK_MS;
  return [
    {
      name: "clock",
      state: isClose ? "ok" : "failed",
      says: isClose ? "agrees with the control plane" : `${Math.round(apart / 1000)} s apart from the control plane`,
      fix: isClose ? null : "sudo timedatectl set-ntp true",
    },
  ];
}

/** Deaths are told for a day; all of them stand in the record of their deployment. */
const TOLD_MS = 86_400_000;
const TOLD = 5;

function incidentChecks(incidents: readonly IncidentItem[], now: number): readonly Check[] {
  const recent = incidents.filter(({ at }) => now - Date.parse(at) < TOLD_MS).slice(-TOLD);
  return recent.map((incident) => ({
    name: "worker",
    state: incident.isQuarantined ? "failed" : "note",
    says: `${ago(incident.at, now)}: ${incidentText(incident)}`,
    fix: `helix inspect ${incident.deployment}`,
  }));
}

function pluginCheck({ name, version, planes }: PluginItem): Check {
  return { name: `plugin ${name}`, state: "ok", says: `${version}, ${planes.join(", ")}`, fix: null };
}

/** What the ledger says against what is there. Nothing is mended by itself: what is not understood may be somebody's. */
function sweepChecks({ drift, orphans, unknown }: SweepReport): readonly Check[] {
  const found: Check[] = [
    ...drift.map(({ description }) => ({ name: "drift", state: "failed" as const, says: description, fix: "helix deploy" })),
    ...orphans.map(({ plugin, description, isNewer }) => ({
      name: isNewer ? "newer" : "orphan",
      state: isNewer ? ("note" as const) : ("failed" as const),
      says: `${plugin}: ${description}${isNewer ? "; newer than the backup that was restored, it goes on as it is" : ""}`,
      fix: null,
    })),
    ...unknown.map(({ plugin, error }) => ({
      name: "unknown",
      state: "note" as const,
      says: `${plugin} could not be asked: ${error.message}`,
      fix: null,
    })),
  ];
  return found.length > 0 ? found : [{ name: "world", state: "ok", says: "is as the ledger says", fix: null }];
}
