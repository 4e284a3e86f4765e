import type { Identity, PlaneName } from "@helixstack/sdk";
import { newId } from "../domain/ids.ts";
import type { PluginCall } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";
import type { Place } from "./place.ts";

/** Milliseconds that each verb may take, where nothing in the call says more. A deployment's own deadline ends it earlier. */
const DEADLINES: Readonly<Record<string, number>> = {
  build: 3_600_000,
  run: 3_600_000,
  apply: 300_000,
  observe: 15_000,
  list: 30_000,
  logs: 5_000,
};
const DEFAULT_DEADLINE_MS = 60_000;

/** One verb of one plugin. */
export interface Ask {
  readonly plane: PlaneName;
  readonly plugin: string;
  readonly verb: string;
  readonly identity: Identity;
  readonly input?: unknown;
  /** The version of `input.prior`, where a stored state is given back. */
  readonly stateVersion?: number | null;
  /** Time that the verb takes by its input (a drain, a grace period), milliseconds; added to what it may take anyway. */
  readonly extraMs?: number;
  readonly signal?: AbortSignal;
}

/** What makes a call one of a step. */
export interface Journalled {
  readonly operationId: string;
  readonly fence: number;
  readonly onLog: NonNullable<PluginCall["onLog"]>;
  readonly onProgress: NonNullable<PluginCall["onProgress"]>;
}

/** A call that changes nothing: `observe`, `list`, `toolchain`. It belongs to no step and has no fence. */
export function readPlugin<T>(deps: EngineDeps, place: Place, ask: Ask): Promise<T> {
  return deps.dispatcher.call<T>({ ...requestOf(deps, place, ask), operationId: newId("op", deps.clock.now()), fence: 0 });
}

/** A stream of a verb that changes nothing. */
export function streamPlugin<T>(deps: EngineDeps, place: Place, ask: Ask): AsyncIterable<T> {
  return deps.dispatcher.stream<T>({ ...requestOf(deps, place, ask), operationId: newId("op", deps.clock.now()), fence: 0 });
}

/** A call of a step. */
export function callPlugin<T>(deps: EngineDeps, place: Place, call: Ask & Journalled): Promise<T> {
  const { operationId, fence, onLog, onProgress } = call;
  return deps.dispatcher.call<T>({ ...requestOf(deps, place, call), operationId, fence, onLog, onProgress });
}

type Request = Omit<PluginCall, "operationId" | "fence">;

function requestOf({ secrets, credential }: EngineDeps, { scope, project, environment }: Place, ask: Ask): Request {
  const path = { project: project.name, environment: environment.name };
  return {
    plane: ask.plane,
    plugin: ask.plugin,
    verb: ask.verb,
    identity: ask.identity,
    input: ask.input ?? {},
    stateVersion: ask.stateVersion ?? null,
    deadlineMs: (DEADLINES[ask.verb] ?? DEFAULT_DEADLINE_MS) + (ask.extraMs ?? 0),
    ...(ask.signal && { signal: ask.signal }),
    secrets: {
      resolve: (ref) => secrets.read(scope, { path, ref }),
      ...(credential && { credential: (name: string) => credential(scope, { plugin: ask.plugin, name }) }),
    },
  };
}
