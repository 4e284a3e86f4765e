import type { Endpoint, LogLine, ObservedRevision } from "@helixstack/sdk";
import { EngineError, type ErrorCode } from "../domain/errors.ts";
import type { Service } from "../domain/manifest.ts";
import type { RevisionRecord } from "../ports/index.ts";
import { readPlugin, streamPlugin } from "./call.ts";
import { probe } from "./probe.ts";
import { askRevision } from "./revisions.ts";
import type { Run } from "./run.ts";

/** Milliseconds between looks: dense at first, because most applications answer within a blink, and rarer by how long it has taken already. */
const PAUSES = { shortest: 2, longest: 250, ofWaited: 1 / 20 } as const;
const TRY_MS = 5_000;
const OBSERVE_EVERY_MS = 300;
/** What has just been applied was seen then, and needs the processor for its start. */
const FIRST_OBSERVE_MS = 100;
/** An instance that ended this often without being asked to will not get better. */
const EXITS = 3;
const SHOWN_LINES = 30;

export interface Healthy {
  readonly endpoints: readonly Endpoint[];
  readonly tries: number;
  readonly waitedMs: number;
}

interface Question {
  readonly revision: RevisionRecord;
  readonly health: Service["health"];
  readonly signal: AbortSignal;
}

/** What is known so far. */
interface Sight {
  endpoints: readonly Endpoint[];
  phase: ObservedRevision["phase"] | null;
  tries: number;
  last: string;
}

/**
 * Waits until every instance has answered once as a healthy one does. Throws `HEALTH_FAILED` when the time is over, `START_FAILED` when the
 * application keeps ending, both with its last lines.
 */
export async function awaitHealth(run: Run, question: Question): Promise<Healthy> {
  const { clock } = run.deps;
  const { revision, health, signal } = question;
  const began = clock.monotonic();
  const sight: Sight = { endpoints: revision.endpoints, phase: null, tries: 0, last: "it has no endpoint yet" };
  const over = new AbortController();
  const watched = { run, question: { ...question, signal: AbortSignal.any([signal, over.signal]) }, sight };
  const timer = clock.sleep(health.timeoutMs, over.signal).then(
    () => `did not become healthy within ${health.timeoutMs / 1000} s`,
    () => null,
  );
  try {
    const exit = watchExits(watched);
    const problem = await Promise.race([pollUntilHealthy(watched), exit, timer]);
    signal.throwIfAborted();
    if (problem === null) return { endpoints: sight.endpoints, tries: sight.tries, waitedMs: Math.round(clock.monotonic() - began) };
    over.abort();
    const code: ErrorCode = problem.startsWith("did not") ? "HEALTH_FAILED" : "START_FAILED";
    const said = code === "HEALTH_FAILED" ? `: ${sight.last}` : "";
    throw new EngineError(code, `${revision.service} ${problem}${said}`, {
      plane: "runtime",
      plugin: `${revision.plugin}@${revision.pluginVersion}`,
      logs: await lastLines(run, revision),
      details: { tries: sight.tries, last: sight.last },
    });
  } finally {
    over.abort();
  }
}

interface Watched {
  readonly run: Run;
  readonly question: Question;
  readonly sight: Sight;
}

/** Null once all are healthy; ends with the signal as well. */
async function pollUntilHealthy({ run, question, sight }: Watched): Promise<null> {
  const { revision, health, signal } = question;
  const { clock } = run.deps;
  const began = clock.monotonic();
  const healthy = new Set<string>();
  while (!signal.aborted) {
    const open = sight.endpoints.filter((endpoint) => !healthy.has(JSON.stringify(endpoint)));
    const looks = open.map(async (endpoint) => {
      sight.tries++;
      const { isHealthy, said } = await look(endpoint, { health, signal, sight });
      sight.last = said;
      if (isHealthy) healthy.add(JSON.stringify(endpoint));
    });
    await Promise.all(looks);
    if (isComplete(sight.endpoints, revision) && sight.endpoints.every((endpoint) => healthy.has(JSON.stringify(endpoint)))) return null;
    const pause = (clock.monotonic() - began) * PAUSES.ofWaited;
    await clock.sleep(Math.min(Math.max(pause, PAUSES.shortest), PAUSES.longest), signal).catch(() => {});
  }
  return null;
}

function look(endpoint: Endpoint, { health, signal, sight }: { health: Service["health"]; signal: AbortSignal; sight: Sight }) {
  if (endpoint.kind !== "none") return probe(endpoint, { path: health.path, timeoutMs: TRY_MS, signal });
  return { isHealthy: sight.phase === "running", said: `it is ${sight.phase ?? "not seen yet"}` };
}

/** Each instance has an address of its own, but for providers that put one in front of all. */
function isComplete(endpoints: readonly Endpoint[], { spec }: RevisionRecord): boolean {
  const isShared = endpoints.some(({ kind }) => kind === "provider-url");
  return endpoints.length >= (isShared ? 1 : spec.replicas);
}

/** What is wrong with an application that keeps ending; resolves with nothing when the signal fires. */
async function watchExits({ run, question, sight }: Watched): Promise<string | null> {
  const { revision, signal } = question;
  const isKnown = revision.endpoints.length > 0 && revision.endpoints.every(({ kind }) => kind !== "none");
  if (isKnown) await run.deps.clock.sleep(FIRST_OBSERVE_MS, signal).catch(() => {});
  while (!signal.aborted) {
    const ask = { ...askRevision(run.place, revision, { verb: "observe" }), signal };
    // A look that fails says nothing of the application; the next one will.
    const observed = await readPlugin<ObservedRevision | null>(run.deps, run.place, ask).catch(() => undefined);
    if (signal.aborted) break;
    if (observed === null) return "is gone: somebody removed it";
    if (observed) {
      sight.phase = observed.phase;
      if (observed.endpoints.length > 0) sight.endpoints = observed.endpoints;
      const problem = exitProblem(observed);
      if (problem) return problem;
    }
    await run.deps.clock.sleep(OBSERVE_EVERY_MS, signal).catch(() => {});
  }
  return null;
}

function exitProblem({ phase, instances }: ObservedRevision): string | null {
  const ended = instances.find(({ restarts, phase: own }) => restarts >= EXITS || own === "exited");
  if (phase !== "exited" && (ended?.restarts ?? 0) < EXITS) return null;
  const code = ended?.lastExit?.code;
  const times = ended && ended.restarts > 0 ? `, ${ended.restarts} times` : "";
  return `ended by itself${code == null ? "" : ` with exit code ${code}`}${times}`;
}

/** The application's own last lines, if the runtime keeps any. */
async function lastLines({ deps, place }: Run, revision: RevisionRecord): Promise<readonly string[]> {
  if (!deps.plugins.supports(revision.plugin, "runtime.logs")) return [];
  const input = { follow: false, tail: SHOWN_LINES, after: null };
  const lines: string[] = [];
  try {
    for await (const { text } of streamPlugin<LogLine>(deps, place, askRevision(place, revision, { verb: "logs", input })))
      lines.push(text);
  } catch (error) {
    deps.logger.warn("the application's last lines cannot be read", { revision: revision.id, error: String(error) });
  }
  return lines.slice(-SHOWN_LINES);
}
