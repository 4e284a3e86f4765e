import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { SupervisorClient, isAlive, processIdentity, startSupervisor } from "@helixstack/supervisor";
import { preparePostgres } from "../adapters/postgres/index.ts";
import { type HomeLayout, createHome, homeLayout } from "../config/home.ts";
import { readSettings } from "../config/settings.ts";
import { EngineError } from "../domain/errors.ts";
import { freePort } from "./free-port.ts";
import { readLocalToken } from "./local-token.ts";
import { controlUnit, postgresUnit } from "./units.ts";

/** A process of the plane. */
export interface PlaneProcess {
  readonly role: string;
  readonly pid: number;
}

/** What a local plane is started with. */
export interface StartOptions {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `control`: supervisor, database, control plane. `full`: also the plugins' daemons and what was live. */
  readonly level: "control" | "full";
  readonly onProgress: (note: string) => void;
}

const START_MS = 60_000;
const POLL_MS = 20;
/** A control process that ended this often while it was waited for will not come up by itself. */
const HOPELESS_RESTARTS = 3;

/** Starts what is not running; safe to call at any time, by several at once. Rejects with `PLANE_FAILED`, with the control plane's last log lines. */
export async function startLocalPlane({
  home,
  env,
  level,
  onProgress,
}: StartOptions): Promise<{ readonly url: string; readonly token: string }> {
  const uid = process.getuid?.();
  const settings = readSettings({ ...env, HELIX_HOME: home }, { uid });
  const layout = createHome(home, { uid });
  onProgress("starting the supervisor");
  const supervisor = await startSupervisor({ home, resume: level === "full" });
  try {
    if (settings.databaseUrl === null) {
      onProgress("starting PostgreSQL");
      await supervisor.ensure(postgresUnit(await preparePostgres({ home, freePort })));
    }
    onProgress("starting the control plane");
    await supervisor.ensure(controlUnit({ home, env }));
    const control = await untilReady(supervisor, layout);
    if (level === "full") await post(control, "/v1/plane/up");
    return control;
  } finally {
    supervisor.close();
  }
}

/** What of the plane runs, as the supervisor knows it. */
export async function planeStatus(home: string): Promise<{ readonly running: boolean; readonly processes: readonly PlaneProcess[] }> {
  const supervisor = await SupervisorClient.connect(home).catch(() => null);
  if (supervisor === null) return { running: false, processes: [] };
  try {
    const processes = await planeProcesses(supervisor);
    return { running: processes.some(({ role }) => role === "control"), processes };
  } finally {
    supervisor.close();
  }
}

/** Stops the whole home (applications first, the database last), or only the control plane and its workers. Resolves to what was stopped. */
export async function stopLocalPlane({
  home,
  controlOnly,
}: {
  readonly home: string;
  readonly controlOnly: boolean;
}): Promise<{ readonly stopped: readonly PlaneProcess[] }> {
  const supervisor = await SupervisorClient.connect(home).catch(() => null);
  if (supervisor === null) return { stopped: [] };
  const before = await planeProcesses(supervisor);
  if (controlOnly) {
    await supervisor.stop("control").catch(ignoreUnknown);
    supervisor.close();
    return { stopped: before.filter(({ role }) => CONTROL_ROLES.has(role)) };
  }
  const control = address(homeLayout(home));
  // Without a control plane the supervisor still ends every process; what another engine runs (containers) is then left as it is.
  if (control) await post(control, "/v1/plane/down").catch(() => undefined);
  await supervisor.shutdown({ stopUnits: "all", last: ["control", "postgres"] });
  return { stopped: before };
}

const CONTROL_ROLES: ReadonlySet<string> = new Set(["control", "worker"]);

/** The processes that are the plane's own, from the supervisor's books. `control` and `worker` are one process. */
export async function planeProcesses(supervisor: SupervisorClient): Promise<readonly PlaneProcess[]> {
  const [{ pid }, units] = await Promise.all([supervisor.ping(), supervisor.list()]);
  const running = units.flatMap((unit) =>
    unit.pid === null || unit.role === "app" || unit.role === "task" ? [] : [{ role: unit.role, pid: unit.pid }],
  );
  const workers = running.filter(({ role }) => role === "control").map((control) => ({ role: "worker", pid: control.pid }));
  return [{ role: "supervisor", pid }, ...running, ...workers];
}

/** The address that a living control process has left, and the local token. */
function address(layout: HomeLayout): { url: string; token: string } | null {
  try {
    const { url, pid, startTicks } = JSON.parse(readFileSync(layout.controlFile, "utf8")) as {
      url: string;
      pid: number;
      startTicks: string;
    };
    const token = readLocalToken(layout);
    return token !== null && isAlive({ pid, startTicks }) ? { url, token } : null;
  } catch {
    return null;
  }
}

async function untilReady(supervisor: SupervisorClient, layout: HomeLayout): Promise<{ url: string; token: string }> {
  const until = performance.now() + START_MS;
  for (;;) {
    const control = address(layout);
    if (control && (await isReady(control.url))) return control;
    const status = await supervisor.status("control");
    if (performance.now() > until || (status?.restarts ?? 0) >= HOPELESS_RESTARTS) throw await failure(supervisor);
    await sleep(POLL_MS);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

async function failure(supervisor: SupervisorClient): Promise<EngineError> {
  const logs: string[] = [];
  for await (const { m } of supervisor.logs("control", { tail: 20 })) logs.push(m);
  return new EngineError("PLANE_FAILED", "the control plane did not come up", { logs });
}

async function post({ url, token }: { url: string; token: string }, path: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body: "{}", signal: AbortSignal.timeout(START_MS) });
  if (response.ok) return;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string; hint?: string };
  throw new EngineError("PLANE_FAILED", problem.detail ?? `${path} answered ${response.status}`, { hint: problem.hint });
}

function ignoreUnknown(error: { code?: string }): void {
  if (error.code !== "NOT_FOUND") throw error;
}

/** What a control process writes for others to find it by. */
export function controlAddress(url: string): string {
  const { pid, startTicks } = processIdentity(process.pid) ?? { pid: process.pid, startTicks: "" };
  return `${JSON.stringify({ url, pid, startTicks })}\n`;
}
