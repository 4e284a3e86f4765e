import type { LogLine } from "@helixstack/sdk";
import { newId } from "../../domain/ids.ts";
import type { RevisionState } from "../../domain/states.ts";
import type { RevisionRecord } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import { type Place, identityOf } from "../identity.ts";
import type { StreamEvent } from "../streams/format.ts";

type Deps = Pick<ApiDeps, "ledger" | "dispatcher" | "clock">;

export interface ServiceLogInput {
  readonly place: Place;
  readonly service: string;
  readonly follow: boolean;
  /** Begin with so many of the last lines, where nothing was read yet; null for all. */
  readonly tail: number | null;
  /** The id of the last line that the reader has. */
  readonly after: string | null;
  readonly signal: AbortSignal;
}

/** A call that follows is made anew after so long, so that no deadline cuts it off in the middle. */
const FOLLOW_MS = 3_600_000;
const READ_MS = 30_000;
/** How often it is looked whether another revision serves now. */
const LOOK_MS = 1000;

/** Which revision speaks for a service: the one that serves, else the one that comes up, else what is left. */
const SPEAKERS: readonly RevisionState[] = ["serving", "starting", "draining", "warm", "retiring"];

/** The revision whose log is the service's; null when there is none. */
export async function findSpeaker({ ledger }: Pick<Deps, "ledger">, place: Place, service: string): Promise<RevisionRecord | null> {
  const revisions = (await ledger.listRevisions(place.scope, { environment: place.environment.id })).filter(
    (one) => one.service === service,
  );
  for (const state of SPEAKERS) {
    const found = revisions.findLast((one) => one.state === state);
    if (found) return found;
  }
  return null;
}

/** The lines of a service. A follower is handed on to the next revision when a deployment switches to it. */
export async function* serviceLog(deps: Deps, input: ServiceLogInput): AsyncGenerator<StreamEvent> {
  const { place, service, follow, signal } = input;
  let from = resumePoint(input.after);
  while (!signal.aborted) {
    const revision = await findSpeaker(deps, place, service);
    if (revision && revision.id !== from?.revision) from = { revision: revision.id, after: null, tail: from ? null : input.tail };
    if (revision && from) {
      for await (const line of revisionLog(deps, { ...input, revision, from })) {
        from = { revision: revision.id, after: line.cursor, tail: null };
        yield lineEvent(revision, line);
      }
    }
    if (!follow) return;
    await deps.clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

interface From {
  readonly revision: string;
  readonly after: string | null;
  readonly tail: number | null;
}

/** The lines of one revision, until it no longer speaks for the service. */
async function* revisionLog(
  deps: Deps,
  { place, service, follow, signal, revision, from }: ServiceLogInput & { readonly revision: RevisionRecord; readonly from: From },
): AsyncGenerator<LogLine> {
  const over = new AbortController();
  const call = {
    plane: "runtime",
    plugin: revision.plugin,
    verb: "logs",
    identity: identityOf(place, { service, unit: revision.unit, revision: revision.id }),
    operationId: newId("op", deps.clock.now()),
    fence: 0,
    input: { prior: revision.pluginState, follow, tail: from.after === null ? from.tail : null, after: from.after },
    stateVersion: revision.stateVersion,
    deadlineMs: follow ? FOLLOW_MS : READ_MS,
    signal: AbortSignal.any([signal, over.signal]),
  } as const;
  if (follow) void handOn(deps, { place, service, revision: revision.id, over });
  try {
    yield* deps.dispatcher.stream<LogLine>(call);
  } catch (error) {
    if (!call.signal.aborted) throw error;
  } finally {
    over.abort();
  }
}

/** Fires when another revision speaks for the service. A look that fails is made again. */
async function handOn(
  deps: Deps,
  { place, service, revision, over }: { place: Place; service: string; revision: string; over: AbortController },
): Promise<void> {
  while (!over.signal.aborted) {
    await deps.clock.sleep(LOOK_MS, over.signal).catch(() => undefined);
    const speaker = over.signal.aborted ? null : await findSpeaker(deps, place, service).catch(() => null);
    if (speaker && speaker.id !== revision) over.abort();
  }
}

/** Ids are `<revision>/<cursor>`, since cursors are the revision's own. */
function resumePoint(id: string | null): From | null {
  const at = id?.indexOf("/") ?? -1;
  return id === null || at < 0 ? null : { revision: id.slice(0, at), after: id.slice(at + 1), tail: null };
}

function lineEvent({ id: revision }: RevisionRecord, { cursor, at, stream, instance, text }: LogLine): StreamEvent {
  return { id: `${revision}/${cursor}`, event: "line", data: { at, stream, instance, revision, text } };
}
