import type { ArtifactStore, Ledger, LedgerWrite, LogStore, PluginCall, Queue, SourceStore } from "../ports/index.ts";

/** What a method of a port does: `effect` leaves something behind when its process is killed, `read` does not. */
export type Road = "read" | "effect";

/** Where a process can be stopped at an effect: it has not begun, it is under way and its end is not known, it is done and nobody was told. */
export const MOMENTS = ["before", "inside", "after"] as const;
export type Moment = (typeof MOMENTS)[number];

/** The ports that effects go through. Nothing of the engine has another way to the world. */
interface Ports {
  readonly ledger: Ledger;
  readonly queue: Queue;
  readonly sources: SourceStore;
  readonly artifacts: ArtifactStore;
  readonly logs: LogStore;
}

/**
 * The table of durable boundaries. It is complete by its type: a method that is added to a port does not compile until it stands here, and from then on it
 * is intercepted. Verbs of plugins need no line: each is an effect unless it is one of {@link READING_VERBS}.
 */
export const ROADS: { readonly [P in keyof Ports]: Readonly<Record<keyof Ports[P], Road>> } = {
  ledger: {
    installation: "read",
    ping: "read",
    close: "read",
    authenticate: "effect",
    createToken: "effect",
    listTokens: "read",
    revokeToken: "effect",
    ensurePrincipal: "effect",
    principal: "read",
    listEnvironments: "read",
    listProjects: "read",
    findEnvironment: "read",
    environment: "read",
    createDeployment: "effect",
    deployment: "read",
    listDeployments: "read",
    storeUse: "read",
    requestCancel: "effect",
    steps: "read",
    decisions: "read",
    listDecisions: "read",
    listWaivers: "read",
    createWaiver: "effect",
    release: "read",
    listReleases: "read",
    findBuild: "read",
    listBuilds: "read",
    events: "read",
    lastEvents: "read",
    recordEvent: "effect",
    watch: "read",
    revision: "read",
    listRevisions: "read",
    routeTables: "read",
    volumes: "read",
    ensureUnit: "effect",
    forget: "effect",
    requestRepair: "effect",
    raiseFence: "effect",
    claim: "effect",
    commit: "effect",
    heldRuns: "read",
    takeAway: "effect",
    relayOutbox: "effect",
    overdueRuns: "effect",
    watchOutbox: "read",
    registerWorker: "effect",
    beat: "effect",
    endWorker: "effect",
    listWorkers: "read",
    recordHost: "effect",
    removeHost: "effect",
    hosts: "read",
  },
  queue: { wake: "effect", consume: "read", close: "read", depth: "read", backend: "read" },
  sources: {
    missing: "read",
    putBlob: "effect",
    putSnapshot: "effect",
    getSnapshot: "read",
    checkout: "effect",
    prune: "effect",
    drop: "effect",
  },
  artifacts: { put: "effect", has: "read", facts: "read", prune: "effect", drop: "effect" },
  logs: { append: "effect", read: "read", tail: "read", remove: "effect" },
};

/** Verbs of the contract that change nothing, as `plane.verb`. */
export const READING_VERBS: ReadonlySet<string> = new Set([
  "build.toolchain",
  "build.detect",
  "build.has",
  "runtime.observe",
  "runtime.plan",
  "runtime.list",
  "runtime.logs",
  "runtime.hostAddress",
  "delivery.observe",
  "delivery.plan",
  "delivery.list",
  "delivery.stats",
]);

/** What each write of a commit makes durable. Complete by its type, like {@link ROADS}. */
export const WRITES: Readonly<Record<LedgerWrite["write"], string>> = {
  "step.intend": "a step is about to be done",
  "step.end": "how a step ended",
  "deployment.plan": "what will be done",
  "deployment.compensate": "that everything is taken back from here on, and why",
  "deployment.end": "the verdict, the freed environment, and what is woken by it",
  "release.create": "the release",
  "revision.create": "a revision, before it is in the world",
  "revision.update": "what was seen of a revision",
  "routes.intend": "the next generation of a route table",
  "routes.set": "the route table that was acknowledged",
  "volume.want": "a volume, before it is in the world",
  "volume.update": "what was seen of a volume",
  "build.record": "the artifact of a build",
  "decision.record": "what the policies said",
  event: "an event",
  "run.sleep": "that a run goes on later",
  "run.end": "that a run is over",
};

/** The boundary of a commit: its writes with what tells them apart, each once (`commit step.end apply done, revision.update`). */
export function commitBoundary(writes: readonly LedgerWrite[]): string {
  return `commit ${[...new Set(writes.map(nameOf))].join(", ")}`;
}

/** The boundary of a call (`call runtime.apply`); null for one that only reads. */
export function callBoundary({ plane, verb }: Pick<PluginCall, "plane" | "verb">): string | null {
  const name = `${plane}.${verb}`;
  return READING_VERBS.has(name) ? null : `call ${name}`;
}

function nameOf(write: LedgerWrite): string {
  if (write.write === "step.intend") return `step.intend ${write.step.kind}`;
  if (write.write === "step.end") return `step.end ${kindOf(write.step)} ${write.state}`;
  if (write.write === "deployment.end") return `deployment.end ${write.state}`;
  return write.write;
}

/** `apply:web` is an `apply`, `undo:apply:web` an `undo:apply`. */
function kindOf(step: string): string {
  return /^(?:undo:)?[^:]+/.exec(step)?.[0] ?? step;
}
