import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { promisify } from "node:util";
import { eventually, get } from "../../e2e/support/plane.ts";
import { SERVICES, type Wanted, effectLines, effectsOf } from "./application.ts";
import { isAlive } from "./processes.ts";
import type { Rig } from "./rig.ts";

const QUIET_MS = 90_000;

export interface Ended {
  readonly state: string;
  readonly code: string | null;
}

/** Waits for the verdict, and until nothing is left to be done in the whole plane. */
export async function untilOver(rig: Rig, deployment: string, forMs = 90_000): Promise<Ended> {
  const ended = await eventually("the verdict", () => verdict(rig, deployment), { forMs, holds: (found) => found !== null });
  await untilQuiet(rig);
  return ended!;
}

export async function verdict(rig: Rig, deployment: string): Promise<Ended | null> {
  const [row] = await rig.sql("select state, error->>'code' as code, ended_at from helix.deployment where id = $1", [deployment]);
  return row?.["ended_at"] ? { state: row["state"] as string, code: row["code"] as string | null } : null;
}

/** No run is ready or held any more; those that sleep for a timer far away do not count. */
export function untilQuiet(rig: Rig, forMs = QUIET_MS): Promise<unknown> {
  const open = () =>
    rig.sql(
      "select id, kind, state, worker, crashes from helix.run where state in ('held', 'waiting') or (state = 'ready' and due_at < now() + interval '20 s')",
    );
  return eventually("quiet", open, { forMs, holds: (rows) => rows.length === 0 });
}

export interface Expected {
  /** What answers: null when nothing may be left. */
  readonly mark: string | null;
  readonly wanted: Wanted;
  /** Whether every provider is asked for what it has. Default true. */
  readonly isSwept?: boolean;
}

/** Everything that is not as it should be, in words; empty when ledger and world agree. */
export async function faultsIn(rig: Rig, { mark, wanted, isSwept = true }: Expected): Promise<readonly string[]> {
  const found = await Promise.all([
    answers(rig, { mark, wanted }),
    processes(rig, { mark, wanted }),
    containers(rig, { mark, wanted }),
    ledgerFaults(rig, { mark, wanted }),
    isSwept ? swept(rig) : [],
  ]);
  return found.flat();
}

/**
 * What happened more often than it may, each with what the applications wrote down about it. An application whose port was taken by another program, between
 * the supervisor's choice and its own listening, is started once more, and that is no second effect: it says so itself.
 */
export function doubles(rig: Rig, { mark, wanted, isLive }: { mark: string; wanted: Wanted; isLive: boolean }): readonly string[] {
  if (wanted.runtime === "docker") return [];
  const counts = effectsOf(rig, mark);
  const often = [...counts]
    .filter(([what, count]) => /^(?:start|task) /.test(what) && count - (counts.get(what.replace(/^start/, "lost")) ?? 0) > 1)
    .map(([what, count]) => `${what} happened ${count} times: ${about(rig, { mark, service: what.split(" ")[1]! })}`);
  const programs = SERVICES.filter((service) => !(wanted.isStatic && service === "web"));
  const missing = programs.filter((service) => isLive && !counts.has(`start ${service}`)).map((service) => `${service} never started`);
  const task = isLive && wanted.hasTask && !counts.has("task web") ? ["the task never ran"] : [];
  return [...often, ...missing, ...task];
}

function about(rig: Rig, { mark, service }: { mark: string; service: string }): string {
  return effectLines(rig, mark)
    .filter((line) => line.split(" ")[1] === service)
    .join("; ");
}

async function answers(rig: Rig, { mark, wanted }: Expected): Promise<readonly string[]> {
  const addresses = await addressesOf(rig, wanted.project);
  if (mark === null) return Object.keys(addresses).length > 0 ? [`addresses are left: ${JSON.stringify(addresses)}`] : [];
  const faults = SERVICES.map(async (service) => {
    const address = addresses[service];
    if (!address) return [`${service} has no address`];
    const said = await get(address).then(
      ({ status, text }) => `${status} ${text}`,
      (error: unknown) => String(error),
    );
    return said === `200 ${mark}` ? [] : [`${service} answers ${said.slice(0, 200)} and not ${mark}`];
  });
  return (await Promise.all(faults)).flat();
}

/** Where services answer, as the ledger has it. */
export async function addressesOf(rig: Rig, project: string): Promise<Record<string, { host: string; port: number }>> {
  const rows = await rig.sql(
    `select t.addresses from helix.route_table t join helix.environment e on e.id = t.environment
     join helix.project p on p.id = e.project where p.name = $1 and t."table" is not null`,
    [project],
  );
  const all = rows.flatMap(({ addresses }) => addresses as { service: string; address: { host: string; port: number } }[]);
  return Object.fromEntries(all.map(({ service, address }) => [service, address]));
}

/** Workers that take runs. One that was killed may stand in the ledger for a while. */
export async function liveWorkers(rig: Rig): Promise<number> {
  const rows = await rig.sql<{ pid: number }>("select distinct pid from helix.worker where ended_at is null");
  return rows.filter(({ pid }) => isAlive(pid)).length;
}

/** Applications of the project in the process table. */
export async function applicationsOf(rig: Rig, project: string): Promise<readonly { pid: number; service: string }[]> {
  const found = await Promise.all(
    (await readdir("/proc"))
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => {
        const [environment = "", command = ""] = await Promise.all(
          ["environ", "cmdline"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
        );
        const of = (name: string) => new RegExp(`(?:^|\\0)${name}=([^\\0]*)`).exec(environment)?.[1];
        const isOurs = of("EFFECTS") === rig.effects && of("HELIX_PROJECT") === project && /(?:server|task)\.js|--root\0/.test(command);
        return isOurs ? [{ pid: Number(pid), service: of("HELIX_SERVICE") ?? "?" }] : [];
      }),
  );
  return found.flat();
}

async function processes(rig: Rig, { mark, wanted }: Expected): Promise<readonly string[]> {
  const running = (await applicationsOf(rig, wanted.project)).map(({ service }) => service).toSorted();
  const should = mark !== null && wanted.runtime !== "docker" ? SERVICES.toSorted() : [];
  return running.join() === should.join() ? [] : [`processes: [${running.join()}], and it should be [${should.join()}]`];
}

async function containers(rig: Rig, { mark, wanted }: Expected): Promise<readonly string[]> {
  if (wanted.runtime !== "docker") return [];
  const found = await dockerNames(rig, wanted.project);
  const should = mark === null ? 0 : SERVICES.length;
  return found.length === should ? [] : [`docker ps -a shows ${found.join(", ") || "nothing"}, and it should be ${should} containers`];
}

/** `docker ps -a` of this installation's project. */
export async function dockerNames(rig: Rig, project: string): Promise<readonly string[]> {
  const [{ id } = { id: "" }] = await rig.sql<{ id: string }>("select id from helix.installation");
  const filters = [`label=helix.installation=${id}`, ...(project ? [`label=helix.project=${project}`] : [])];
  const argv = ["ps", "-a", "--format", "{{.Names}}", ...filters.flatMap((filter) => ["--filter", filter])];
  const { stdout } = await promisify(execFile)("docker", argv);
  return stdout.split("\n").filter(Boolean);
}

async function ledgerFaults(rig: Rig, { mark, wanted }: Expected): Promise<readonly string[]> {
  const revisions = await rig.sql(
    `select r.service, r.state from helix.revision r join helix.environment e on e.id = r.environment join helix.project p on p.id = e.project
     where p.name = $1 and r.state not in ('gone', 'forgotten') order by 1`,
    [wanted.project],
  );
  const states = revisions.map(({ service, state }) => `${service} ${state}`).join(", ");
  const should =
    mark === null
      ? ""
      : SERVICES.toSorted()
          .map((service) => `${service} serving`)
          .join(", ");
  const open = await rig.sql("select deployment, id from helix.step where state = 'intended'");
  const held = await rig.sql("select id from helix.environment where active_deployment is not null");
  const verdicts = await rig.sql(
    "select stream from helix.event where stream like 'deployment:%' and type ~ '^deployment.(live|failed|cancelled|superseded)$' group by 1 having count(*) > 1",
  );
  return [
    ...(states === should ? [] : [`the ledger has [${states}], and it should be [${should}]`]),
    ...open.map(({ id, deployment }) => `step ${id} of ${deployment} is still intended`),
    ...held.map(({ id }) => `environment ${id} is still held`),
    ...verdicts.map(({ stream }) => `${stream} has more than one verdict`),
  ];
}

/** What is not as it should be, and what nobody remembers, in any provider's world. */
export async function swept(rig: Rig): Promise<readonly string[]> {
  const { drift, orphans, unknown } = await rig.api.request("GET", "/v1/sweep");
  return [...drift, ...orphans, ...unknown].map((finding) => `sweep: ${JSON.stringify(finding)}`);
}
